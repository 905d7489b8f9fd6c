"""Webhooks: where payloads go."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from apps.common.access import Role
from apps.common.admin import (
    AccountScopedTabularInline,
    access_of,
    form_accounts,
    page_context,
)
from apps.common.audit import record
from apps.common.fields import readable
from apps.common.masking import MASK
from apps.common.models import AuditAction
from apps.webhooks.admin.pages import WebhookPages
from apps.webhooks.forms import (
    SCHEDULES,
    HeaderForm,
    HeaderFormSet,
    RotateForm,
    WebhookForm,
    chosen_schedule,
)
from apps.webhooks.models import Webhook, WebhookHeader
from apps.webhooks.secrets import new_signing_secret
from apps.webhooks.services import rotate_secret
from apps.webhooks.sharing import templates_for

TRIES_AND_LIMITS: list[str | list[str] | tuple[str, ...]] = [
    "retry_preset",
    "retry_waits",
    ("rate_limit", "rate_unit"),
    "concurrency",
]


class HeaderInline(AccountScopedTabularInline):
    """Headers that go along; values of secret ones are never shown again."""

    model = WebhookHeader
    form = HeaderForm
    formset = HeaderFormSet
    verbose_name = "HTTP header"
    delete_role = Role.MEMBER

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show a mask to those who only look."""
        can_change = self.has_change_permission(request, obj)
        return ["name", "value"] if can_change else ["name", "shown_value"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """See `get_fields`."""
        return ["shown_value"]

    @admin.display(description="value")
    def shown_value(self, header: WebhookHeader) -> str:
        """Return the value, masked if it is a secret."""
        return MASK if header.is_secret else header.value


@admin.register(Webhook)
class WebhookAdmin(WebhookPages):
    """Webhooks of locations and of whole accounts."""

    form = WebhookForm
    empty_text = "A webhook tells another system about calls, as your CRM."
    list_display = ["name", "shown_url", "location", "template", "method", "state"]
    list_filter = ["location", "template", "is_active"]
    list_select_related = ["location", "template"]
    search_fields = ["name", "location__name", "template__name"]
    search_of_members = ["url"]
    search_help_text = "Name, location or template"
    fieldsets = [
        (None, {"fields": ["name", "url", "template", "location", "is_active"]}),
        (
            "Advanced settings",
            {"fields": ["method", "success_codes", "body_contains", "timeout_s"]},
        ),
        ("Tries and limits", {"fields": TRIES_AND_LIMITS}),
        (
            "Signature",
            {"fields": ["signature", "signature_header", ("key_id_header", "key_id")]},
        ),
    ]
    inlines = [HeaderInline]
    change_form_template = "admin/webhooks/webhook/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the page that shows the signing secret."""
        secret = path(
            "<path:object_id>/secret/",
            self.admin_site.admin_view(self.secret_view),
            name="webhooks_webhook_secret",
        )
        rotate = path(
            "<path:object_id>/secret/rotate/",
            self.admin_site.admin_view(self.rotate_view),
            name="webhooks_webhook_rotate",
        )
        return [rotate, secret, *super().get_urls()]

    def openable(self, request: HttpRequest) -> QuerySet[Any]:
        """Fetch along what the page names."""
        return super().openable(request).select_related("location", "template")

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Offer templates that an agency shares, too."""
        form = super().get_form(request, obj, change, **kwargs)
        access = access_of(request)
        form.access = access
        if template := form.base_fields.get("template"):
            template.queryset = templates_for(
                form_accounts(request, obj, self.add_role or Role.MEMBER), access
            ).select_related("account")
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Give a new webhook its signing secret; forget why one was off that is on again."""
        if not change:
            obj.secret = new_signing_secret()
        if obj.is_active:
            obj.disabled_reason = ""
        super().save_model(request, obj, form, change)

    def beside_form(self, request: HttpRequest, row: Webhook) -> dict[str, Any]:
        """Lead those who may see it to the signing secret."""
        return {"shows_secret": access_of(request).has_role(Role.ADMIN, row.account_id)}

    @admin.display(description="tries after a failure")
    def retry_preset(self, webhook: Webhook) -> str:
        """Return the schedule, for those who only look."""
        preset, waits = chosen_schedule(webhook.retry_waits_s)
        return waits or dict(SCHEDULES)[preset]

    def secret_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show admins the secret that signs requests, and remember that they looked."""
        webhook: Webhook = self.row_to_act_on(request, object_id, Role.ADMIN)
        record(action=AuditAction.SECRET_SHOWN, account_id=webhook.account_id, subject=webhook)
        context = page_context(
            self,
            request,
            original=webhook,
            secret=readable(webhook, "secret"),
            title=f"Signing secret of {webhook}",
        )
        return TemplateResponse(
            request,
            "admin/webhooks/webhook/secret.html",
            context,
            headers={"Cache-Control": "no-store"},
        )

    def rotate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Replace the secret after asking for how long the old one signs along."""
        webhook: Webhook = self.row_to_act_on(request, object_id, Role.ADMIN)
        form = RotateForm(request.POST or None, webhook=webhook)
        if request.method == "POST" and form.is_valid():
            try:
                rotate_secret(
                    webhook=webhook,
                    keep=form.cleaned_data["keep"],
                    key_id=form.cleaned_data.get("key_id"),
                    secret=form.cleaned_data["secret"],
                )
            except ValidationError as error:
                form.add_error(None, error)
            else:
                messages.success(request, "The new secret signs from the next request on.")
                return redirect("admin:webhooks_webhook_secret", webhook.pk)
        context = page_context(
            self,
            request,
            original=webhook,
            form=form,
            title=f"Replace the signing secret of {webhook}",
        )
        return TemplateResponse(request, "admin/webhooks/webhook/rotate.html", context)
