"""Account settings, and an agency's clients."""

import uuid
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.db.models import Count, Model, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from apps.accounts.forms import AccountForm
from apps.accounts.models import Account, AccountKind, Location
from apps.common.access import Role
from apps.common.admin import HistoryPage, RoleAdmin, TitledList, access_of
from apps.common.admin.saving import SavesChanges
from apps.common.admin.theme import ModelAdmin

if TYPE_CHECKING:
    _ModelAdmin = ModelAdmin[Account]
else:
    _ModelAdmin = ModelAdmin


@admin.register(Account)
class AccountAdmin(RoleAdmin, HistoryPage, SavesChanges, TitledList, _ModelAdmin):
    """Accounts within reach. Agencies add clients; nobody deletes, an account is switched off.

    An account that is off is out of reach with all it has. Only its own row shows here, to admins
    of its agency, who switch it on again.
    """

    form = AccountForm
    change_role = Role.ADMIN
    delete_role = None
    list_display = ["name", "kind", "parent", "locations", "time_zone", "is_active"]
    list_filter = ["kind", "is_active"]
    list_select_related = ["parent"]
    search_fields = ["name"]
    search_help_text = "Name"
    list_per_page = 50
    fieldsets = [
        (
            None,
            {"fields": ["name", "kind", "parent", "time_zone", "has_reverse_lookup", "is_active"]},
        ),
        ("Retention", {"fields": [("keep_bodies_days", "keep_records_days"), "keep_audit_days"]}),
    ]
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        """Accounts within reach and clients that are off, with the number of their locations."""
        counted = (
            Location.objects.filter(account=OuterRef("pk"))
            .order_by()
            .values("account")
            .annotate(total=Count("pk"))
            .values("total")
        )
        rows: QuerySet[Account] = super().get_queryset(request)
        shown = rows.filter(
            Q(pk__in=access_of(request).account_ids)
            | Q(parent__in=self._agencies(request), is_active=False)
        )
        return shown.annotate(location_total=Coalesce(Subquery(counted), 0))

    def account_id_of(self, row: Model) -> uuid.UUID | None:
        """An account belongs to itself; a client that is off, to its agency."""
        account = cast(Account, row)
        return account.pk if account.is_active else account.parent_id or account.pk

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Operators, and admins of an agency for its clients."""
        return access_of(request).is_operator or bool(self._agencies(request))

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Let the query string filter by the list's own filters only."""
        offered = lookup.split("__")[0] in {"kind", "is_active", "pk", "id"}
        return request is not None and offered and super().lookup_allowed(lookup, value, request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Leave what an account is, and whose, to operators; agencies switch clients on and off."""
        access = access_of(request)
        if access.is_operator:
            return []
        if obj is None:
            return ["kind", "is_active"]
        by_agency = obj.parent_id is not None and access.has_role(Role.ADMIN, obj.parent_id)
        return ["kind", "parent"] if by_agency else ["kind", "parent", "agency", "is_active"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Name the agency without a link to those who do not reach it."""
        fieldsets = super().get_fieldsets(request, obj)
        access = access_of(request)
        parent_id = obj.parent_id if obj else None
        if parent_id is None or access.is_operator or parent_id in access.account_ids:
            return fieldsets
        (title, options), *others = fieldsets
        fields = ["agency" if name == "parent" else name for name in options["fields"]]
        return [(title, {**options, "fields": fields}), *others]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Offer the agencies that the person may add clients to."""
        form = super().get_form(request, obj, change, **kwargs)
        if parent := form.base_fields.get("parent"):
            parent.queryset = Account.objects.filter(
                kind=AccountKind.AGENCY, pk__in=self._agencies(request)
            )
            parent.required = not access_of(request).is_operator
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Fill in the agency if there is one only."""
        agencies = self._agencies(request)
        only = {"parent": agencies[0]} if len(agencies) == 1 else {}
        return {**only, **super().get_changeform_initial_data(request)}

    @admin.display(description="agency")
    def agency(self, account: Account) -> str:
        """Return the name of the agency that manages the account."""
        return str(account.parent)

    @admin.display(description="locations", ordering="location_total")
    def locations(self, account: Any) -> int:
        """Return how many places the account has."""
        return int(account.location_total)

    def _agencies(self, request: HttpRequest) -> list[uuid.UUID]:
        access = access_of(request)
        return [
            account.id
            for account in access.accounts.values()
            if account.is_agency and account.role >= Role.ADMIN
        ]
