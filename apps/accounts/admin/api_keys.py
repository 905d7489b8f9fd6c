"""Keys for programs: made, shown once, revoked."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from apps.accounts.forms import ApiKeyForm
from apps.accounts.models import ApiKey, User
from apps.common.access import Role
from apps.common.admin import AccountScopedAdmin, access_of, confirmed, labelled, page_context


@admin.register(ApiKey)
class ApiKeyAdmin(AccountScopedAdmin):
    """API keys. A key is not edited: make another one and revoke this."""

    view_role = add_role = Role.ADMIN
    change_role = delete_role = None
    form = ApiKeyForm
    empty_text = "Your phone platform needs one to post call events."
    list_display = ["name", "shown_hint", "scope_names", "state", "last_used_at", "made_by"]
    list_select_related = ["created_by"]
    search_fields = ["name", "hint"]
    search_help_text = "Name, or the first characters of the key"
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "name",
                    "shown_hint",
                    "scope_names",
                    "state",
                    "expires_at",
                    "last_used_at",
                    "made_by",
                    "created_at",
                    "revoked_at",
                ]
            },
        )
    ]
    add_fieldsets = [(None, {"fields": ["name", "scopes", "expires_at"]})]
    readonly_fields = ["shown_hint", "scope_names", "state", "made_by"]
    change_form_template = "admin/accounts/apikey/change_form.html"
    actions = None

    def get_urls(self) -> list[URLPattern]:
        """Add the page to revoke a key."""
        revoke = path(
            "<path:object_id>/revoke/",
            self.admin_site.admin_view(self.revoke_view),
            name="accounts_apikey_revoke",
        )
        return [revoke, *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """Make the key and remember it for the one page that shows it."""
        obj.created_by_id = access_of(request).user_id
        request.issued_token = obj.issue_token()  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the key, this once."""
        context = page_context(
            self,
            request,
            title="Copy the new key now",
            key=obj,
            token=request.issued_token,  # type: ignore[attr-defined]
        )
        return TemplateResponse(
            request,
            "admin/accounts/apikey/issued.html",
            context,
            headers={"Cache-Control": "no-store"},
        )

    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Revoke a key after asking."""
        key: ApiKey = self.row_to_act_on(request, object_id, Role.ADMIN)

        def revoke() -> HttpResponse:
            if key.revoked_at is None:
                key.revoke(timezone.now())
                messages.success(request, f"The key “{key.name}” does not work any more.")
            return redirect("admin:accounts_apikey_changelist")

        return confirmed(
            request,
            title=f"Revoke “{key.name}”?",
            question="Programs that use this key are refused at once. This can not be undone.",
            button="Revoke the key",
            back=reverse("admin:accounts_apikey_change", args=[key.pk]),
            act=revoke,
            context=page_context(self, request, original=key),
            is_dangerous=True,
        )

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Say which time zone is meant."""
        form = super().get_form(request, obj, change, **kwargs)
        if expiry := form.base_fields.get("expires_at"):
            zone = timezone.get_current_timezone_name().replace("_", " ")
            expiry.help_text = f"In the time zone {zone}. Empty: it never does."
        return form

    @admin.display(description="made by", ordering="created_by__email", empty_value="Hookline")
    def made_by(self, key: ApiKey) -> User | None:
        """Return who made it; no link, as the page of a person is for operators."""
        return key.created_by

    @admin.display(description="key", ordering="hint")
    def shown_hint(self, key: ApiKey) -> str:
        """Return its first characters."""
        return f"{key.hint}…"

    @admin.display(description="may")
    def scope_names(self, key: ApiKey) -> str:
        """Return its scopes in words."""
        return ", ".join(key.scopes)

    @labelled(
        "state",
        labels={"active": "success", "expired": "warning", "revoked": "danger"},
    )
    def state(self, key: ApiKey) -> str:
        """Return whether it works."""
        if key.revoked_at is not None:
            return "revoked"
        return "active" if key.is_usable(timezone.now()) else "expired"
