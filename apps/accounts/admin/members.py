"""Who belongs to an account."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.accounts.forms import InvitationForm, MembershipForm
from apps.accounts.inviting import change_role, invite, is_last_owner, remove_member
from apps.accounts.models import Membership
from apps.common.access import Role
from apps.common.admin import AccountScopedAdmin, access_of


@admin.register(Membership)
class MembershipAdmin(AccountScopedAdmin):
    """Members and their roles. Inviting and changing go through `apps.accounts.inviting`."""

    form = MembershipForm
    view_role = add_role = change_role = delete_role = Role.ADMIN
    list_display = ["email", "person", "role", "created_at"]
    list_filter = ["role"]
    list_select_related = ["user"]
    search_fields = ["user__email"]
    search_help_text = "E-mail"
    ordering = ["user__email"]
    fieldsets = [(None, {"fields": ["email", "person", "role"]})]
    add_fieldsets = [(None, {"fields": ["email", "role"]})]
    actions = None

    def openable(self, request: HttpRequest) -> QuerySet[Any]:
        """Fetch the person along."""
        return super().openable(request).select_related("user")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes a member who is above them."""
        return super().has_change_permission(request, obj) and self._is_not_above(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody removes a member who is above them, or the last owner."""
        return (
            super().has_delete_permission(request, obj)
            and self._is_not_above(request, obj)
            and (obj is None or not is_last_owner(obj))
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Show who it is; the e-mail is asked for once."""
        declared = super().get_readonly_fields(request, obj)
        return declared if obj is None else [*declared, "person", "email"]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Invite by e-mail, or change a role."""
        kwargs["form"] = MembershipForm if obj else InvitationForm
        form = super().get_form(request, obj, change, **kwargs)
        form.access = access_of(request)
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Invite, or change the role."""
        if change:
            change_role(membership=obj, role=Role(obj.role), by=access_of(request))
            return
        invited = invite(
            account=obj.account,
            email=form.cleaned_data["email"],
            role=Role(obj.role),
            by=access_of(request),
        )
        obj.pk, obj.user, obj._state.adding = invited.pk, invited.user, False

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Let the member go."""
        remove_member(membership=obj, by=access_of(request))

    @admin.display(description="name", empty_value="invited")
    def person(self, membership: Membership) -> str | None:
        """Return who it is, if they have come."""
        return membership.shown_name or None

    @admin.display(description="e-mail", ordering="user__email")
    def email(self, membership: Membership) -> str:
        """Return their e-mail."""
        return membership.user.email

    def _is_not_above(self, request: HttpRequest, membership: Membership | None) -> bool:
        return membership is None or access_of(request).has_role(
            Role(membership.role), membership.account_id
        )
