"""The web hook of an IVR: the tab Webhook Settings of its page."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from apps.accounts.authentication import person_of
from apps.common.access import Role
from apps.common.admin import AccountScopedAdmin, AccountScopedTabularInline, access_of
from apps.common.fields import is_kept
from apps.common.masking import masked_url
from apps.ivr.admin.trial import asked_for
from apps.ivr.forms import IvrHookForm, IvrParameterForm, TokenField, label_of
from apps.ivr.models import Ivr, IvrHook, IvrParameter
from apps.ivr.transcripts import set_transcription_url

_FORGETS = "forgets_authorization"


class ParameterInline(AccountScopedTabularInline):
    """Names and values of the admin's own choice."""

    model = IvrParameter
    form = IvrParameterForm
    delete_role = Role.MEMBER
    hide_title = True

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show those who only look the value in words."""
        return ["name", "token" if self.has_change_permission(request, obj) else "shown_token"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """See `get_fields`."""
        return ["shown_token"]

    @admin.display(description="value")
    def shown_token(self, parameter: IvrParameter) -> str:
        """Return what the value is called."""
        return label_of(parameter)

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Offer the answers to the questions of this IVR, and tokens."""
        formset = super().get_formset(request, obj, **kwargs)
        if "token" in formset.form.base_fields:
            formset.form.base_fields["token"] = TokenField(obj.ivr if obj else None)
        return formset


@admin.register(IvrHook)
class IvrHookAdmin(AccountScopedAdmin):
    """Web hooks come and go with their IVR, on whose page they are."""

    form = IvrHookForm
    add_role = delete_role = None
    list_display = ["ivr", "mode", "is_active"]
    list_select_related = ["ivr"]
    search_fields = ["ivr__name", "ivr__number"]
    fieldsets = [
        (
            None,
            {"fields": ["is_active", "mode", "method", "target_url", "includes_attribution"]},
        ),
        (
            "If there is no answer in time",
            {"fields": ["budget_s", "fallback_url", ("default_app", "default_value")]},
        ),
        (
            "Advanced Settings",
            {
                "fields": [
                    "transcription_url",
                    "new_authorization",
                    "forgets_authorization",
                    "reply_form",
                    "redirect_url",
                ]
            },
        ),
    ]
    inlines = [ParameterInline]
    change_form_template = "admin/ivr/ivrhook/change_form.html"

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Keep it out of the index."""
        return False

    def openable(self, request: HttpRequest) -> QuerySet[Any]:
        """Fetch along what the page names."""
        return super().openable(request).select_related("ivr__transcription_webhook")

    def beside_form(self, request: HttpRequest, row: IvrHook) -> dict[str, Any]:
        """Let the page be that of the IVR, which has the history; who works there may test it."""
        may_test = access_of(request).has_role(Role.MEMBER, row.account_id)
        return {
            "original": row.ivr,
            "show_history": False,
            "show_save_and_continue": False,
            "test": {"hook": row, **asked_for(row)} if may_test else None,
        }

    def render_change_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Lead back to the list of IVRs, and have the theme show their tabs."""
        page = super().render_change_form(request, *args, **kwargs)
        if isinstance(page, TemplateResponse) and page.context_data is not None:
            page.context_data["opts"] = Ivr._meta
        return page

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Offer to forget a credential only where there is one."""
        groups = super().get_fieldsets(request, obj)
        if obj is None or is_kept(obj, "authorization"):
            return groups
        return [
            (title, {**options, "fields": [each for each in options["fields"] if each != _FORGETS]})
            for title, options in groups
        ]

    @admin.display(description="transcription post back")
    def transcription_url(self, hook: IvrHook) -> str:
        """Return where transcripts are sent, for those who only look."""
        webhook = hook.ivr.transcription_webhook
        return masked_url(webhook.url) if webhook else ""

    @admin.display(description="target URL")
    def shown_target_url(self, hook: IvrHook) -> str:
        """Return where results are sent, for those who only look."""
        return masked_url(hook.target_url)

    @admin.display(description="fallback URL")
    def shown_fallback_url(self, hook: IvrHook) -> str:
        """Return who is asked instead, for those who only look."""
        return masked_url(hook.fallback_url)

    @admin.display(description="redirect URL")
    def shown_redirect_url(self, hook: IvrHook) -> str:
        """Return where the platform goes on, for those who only look."""
        return masked_url(hook.redirect_url)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save, and have transcripts sent where the form says."""
        super().save_model(request, obj, form, change)
        if "transcription_url" in form.changed_data:
            by = person_of(request)
            set_transcription_url(ivr=obj.ivr, url=form.cleaned_data["transcription_url"], by=by)

    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        """Stay on the tab."""
        return HttpResponseRedirect(reverse("admin:ivr_ivr_webhook", args=[obj.ivr_id]))
