"""Everybody who can log in: for operators."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from apps.accounts.models import User
from apps.common.admin import access_of
from apps.common.admin.theme import ModelAdmin

if TYPE_CHECKING:
    _ModelAdmin = ModelAdmin[User]
else:
    _ModelAdmin = ModelAdmin


@admin.register(User)
class UserAdmin(_ModelAdmin):
    """Users, across all accounts. People join through an invitation, not here."""

    list_display = [
        "email",
        "full_name",
        "account_total",
        "is_active",
        "is_superuser",
        "last_login",
    ]
    list_filter = ["is_active", "is_superuser"]
    search_fields = ["email", "full_name"]
    search_help_text = "Name or e-mail"
    fieldsets = [
        (None, {"fields": ["email", "full_name", "is_active", "is_superuser"]}),
        ("Activity", {"fields": ["last_login", "created_at"]}),
    ]
    readonly_fields = ["last_login", "created_at"]
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """All users, with the number of their accounts."""
        return super().get_queryset(request).annotate(total=Count("memberships"))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Operators only."""
        return access_of(request).is_operator

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Operators only."""
        return access_of(request).is_operator

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody: people are invited to an account."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: a user is switched off, and what they did keeps its name."""
        return False

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Operators only."""
        return access_of(request).is_operator

    @admin.display(description="accounts", ordering="total")
    def account_total(self, user: Any) -> int:
        """Return how many accounts they belong to."""
        return int(user.total)
