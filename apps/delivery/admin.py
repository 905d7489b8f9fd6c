"""The admin of deliveries: they are looked at and sent again."""

from django.contrib import admin
from django.http import HttpRequest

from apps.common.admin import ReadOnlyAdmin
from apps.delivery.models import Attempt, Delivery


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """Deliveries, newest first."""

    list_display = ["__str__", "state"]
    fieldsets = [(None, {"fields": ["webhook", "call", "state"]})]


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    """Attempts are shown inside their delivery."""

    list_display = ["__str__"]
    fieldsets = [(None, {"fields": ["delivery", "number"]})]

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Nothing to start from."""
        return False
