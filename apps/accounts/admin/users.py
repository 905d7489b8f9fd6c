"""Everybody who can log in: for operators."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from apps.accounts.models import User
from apps.common.admin import TitledList, access_of
from apps.common.admin.saving import SavesChanges
from apps.common.admin.theme import ModelAdmin

if TYPE_CHECKING:
    _ModelAdmin = ModelAdmin[User]
    _UserForm = forms.ModelForm[User]
else:
    _ModelAdmin = ModelAdmin
    _UserForm = forms.ModelForm


class UserForm(_UserForm):
    """A user; somebody has to run the installation."""

    class Meta:
        model = User
        fields = ["email", "full_name", "is_active", "is_superuser"]

    def clean(self) -> dict[str, Any]:
        """Keep the last operator one who can log in."""
        cleaned = super().clean() or {}
        stays = cleaned.get("is_superuser") and cleaned.get("is_active")
        others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=self.instance.pk)
        if not stays and not others.exists():
            raise ValidationError("This is the last operator: make somebody else one first.")
        return cleaned


@admin.register(User)
class UserAdmin(SavesChanges, TitledList, _ModelAdmin):
    """Users, across all accounts. People join through an invitation, not here."""

    form = UserForm
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
        rows: QuerySet[User] = super().get_queryset(request)
        return rows.annotate(total=Count("memberships"))

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
