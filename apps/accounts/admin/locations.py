"""Places that receive calls, and their groups."""

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from apps.accounts.forms import LocationForm
from apps.accounts.hours_form import BusinessHoursForm
from apps.accounts.models import Group, Location
from apps.common.admin import AccountScopedAdmin


@admin.register(Group)
class GroupAdmin(AccountScopedAdmin):
    """Sets of locations, to share templates with."""

    empty_text = "Groups of locations share templates."
    list_display = ["name", "location_total"]
    ordering = ["name"]
    search_fields = ["name"]
    search_help_text = "Name"
    fieldsets = [(None, {"fields": ["name"]})]

    def annotated(self, queryset: QuerySet[Group]) -> QuerySet[Group]:
        """Count the locations."""
        return queryset.annotate(total=Count("locations"))

    @admin.display(description="locations", ordering="total")
    def location_total(self, group: Group) -> int:
        """Return how many places are in the group."""
        return int(getattr(group, "total", 0))


@admin.register(Location)
class LocationAdmin(AccountScopedAdmin):
    """Manage Location. Rooms above add the tabs for what they attach to a place."""

    form = LocationForm
    details_title = "Edit"
    empty_text = "The places that receive calls."
    list_display = ["name", "group", "city", "state", "client_location_id", "is_active"]
    list_filter = ["group", "is_active"]
    list_select_related = ["group"]
    search_fields = ["name", "city", "client_location_id", "client_account_id"]
    search_help_text = "Name, city, or the client's own ids"
    fieldsets = [
        (None, {"fields": ["name", "group", "time_zone", "is_active"]}),
        (
            "Address",
            {
                "fields": [
                    "address_line_1",
                    "address_line_2",
                    ("city", "state"),
                    ("zip", "country"),
                ],
                "description": "Sent by the location tokens, as %location_address_city%.",
            },
        ),
        (
            "Business hours",
            {
                "fields": [*BusinessHoursForm.FIELDS],
                "description": "In the time zone of the location; for webhooks that are sent in"
                " business hours only.",
            },
        ),
        (
            "Ids that other systems know it by",
            {
                "fields": [
                    ("client_account_id", "client_location_id"),
                    ("site_id", "domain_id"),
                    "public_id",
                ]
            },
        ),
    ]
    readonly_fields = ["public_id"]

    @admin.display(description="Hookline id")
    def public_id(self, location: Location) -> str:
        """Return the id by which events and the API may name it."""
        return "Save first" if location._state.adding else location.public_id

    def has_delete_permission(self, request: HttpRequest, obj: Location | None = None) -> bool:
        """Keep a place that has received calls; it can be switched off."""
        if obj is not None and obj.pk and hasattr(obj, "calls") and obj.calls.exists():
            return False
        return super().has_delete_permission(request, obj)
