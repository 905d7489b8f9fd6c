"""Sources: what phone platforms call."""

import datetime as dt
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse

from apps.common.access import Role
from apps.common.admin import AccountScopedAdmin, Panel, confirmed, labelled, page_context
from apps.common.fields import readable
from apps.intake.adapters.generic import refitted
from apps.intake.admin.panels import CallbacksPanel, FieldsPanel, SetUpPanel
from apps.intake.forms import MappingForm, SourceForm
from apps.intake.models import Source, new_url_key
from apps.webhooks.mapping import from_plain, to_plain
from apps.webhooks.services import read_sample

_TWILIO, _SAMPLE, _SIGNATURE = "Twilio's signature", "What it sends", "Signature"


@admin.register(Source)
class SourceAdmin(AccountScopedAdmin):
    """Phone platforms that call a URL of their own."""

    form = SourceForm
    add_role = change_role = delete_role = Role.ADMIN
    ordering = ["name"]
    empty_text = "Twilio, or any platform that can call a URL when something happens to a call."
    list_display = ["name", "kind_label", "location", "refused", "is_active"]
    list_filter = ["kind", "location", "is_active"]
    list_select_related = ["location"]
    search_fields = ["name"]
    search_help_text = "Name"
    fieldsets = [
        (None, {"fields": ["name", "kind", "location", "is_active"]}),
        (_TWILIO, {"fields": ["token", "second_token"]}),
        (_SAMPLE, {"fields": ["format", "sample"]}),
        (_SIGNATURE, {"fields": ["signature_header", "signing_secret"]}),
    ]
    panels = (FieldsPanel, SetUpPanel, CallbacksPanel)
    change_form_template = "admin/intake/source/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that replace a credential."""
        pages = [
            path(
                f"<path:object_id>/{name}/",
                self.admin_site.admin_view(view),
                name=f"intake_source_{name}",
            )
            for name, view in (("renew", self.renew_view), ("retire", self.retire_view))
        ]
        return [*pages, *super().get_urls()]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask first which platform it is, and then what that one needs."""
        wanted: set[str | None] = {None}
        if obj is not None:
            wanted |= {_TWILIO} if obj.is_twilio else {_SAMPLE, _SIGNATURE}
        return [group for group in super().get_fieldsets(request, obj) if group[0] in wanted]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Keep the platform, which decides about the rest."""
        declared = super().get_readonly_fields(request, obj)
        return declared if obj is None else [*declared, "kind"]

    def save_model(self, request: HttpRequest, obj: Source, form: Any, change: bool) -> None:
        """Find the fields of a new sample."""
        if ("sample" in form.changed_data or "format" in form.changed_data) and obj.sample:
            sample = read_sample(sample=obj.sample, template_format=obj.format)
            obj.mapping = to_plain(refitted(from_plain(obj.mapping), sample))
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: Source, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Go on with what the platform needs."""
        following = "Enter its Auth Token." if obj.is_twilio else "Paste a sample of what it sends."
        messages.success(request, f"“{obj}” is made. {following}")
        return redirect("admin:intake_source_change", obj.pk)

    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        """Go on with the fields, or with what to enter at the platform."""
        following = "setup" if obj.is_twilio or not obj.sample else "fields"
        return HttpResponseRedirect(reverse(f"admin:intake_source_{following}", args=[obj.pk]))

    def renew_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give a source another URL, after asking."""
        source: Source = self.row_to_act_on(request, object_id, Role.ADMIN)

        def renew() -> HttpResponse:
            source.url_key = new_url_key()
            source.save(update_fields=["url_key"])
            self.log_change(request, source, "Replaced the callback URL.")
            messages.success(request, "This is the new URL; the old one is dead.")
            return redirect("admin:intake_source_setup", source.pk)

        return self._asked(
            request,
            source,
            back=reverse("admin:intake_source_setup", args=[source.pk]),
            title=f"Another URL for “{source}”?",
            question="The platform's callbacks are refused from now on, until it has the new URL.",
            button="Replace the URL",
            act=renew,
        )

    def retire_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Forget the first Auth Token, after asking; the second takes its place."""
        source: Source = self.row_to_act_on(request, object_id, Role.ADMIN)
        second = readable(source, "second_auth_token")
        if not second:
            messages.error(request, "Enter the second Auth Token first.")
            return redirect("admin:intake_source_change", source.pk)

        def retire() -> HttpResponse:
            source.auth_token, source.second_auth_token = second, ""
            source.save(update_fields=["auth_token", "second_auth_token"])
            self.log_change(request, source, "Retired the first Auth Token.")
            messages.success(request, "Only the second Auth Token is good now.")
            return redirect("admin:intake_source_change", source.pk)

        return self._asked(
            request,
            source,
            back=reverse("admin:intake_source_change", args=[source.pk]),
            title=f"Retire the first Auth Token of “{source}”?",
            question="Do this once you have promoted the secondary token in the Twilio console:"
            " what is signed with the first one is refused from then on.",
            button="Retire it",
            act=retire,
        )

    def _asked(self, request: HttpRequest, source: Source, **asked: Any) -> HttpResponse:
        return confirmed(
            request,
            is_dangerous=True,
            context=page_context(self, request, original=source),
            **asked,
        )

    def _panel_view(self, request: HttpRequest, object_id: str, panel: type[Panel]) -> HttpResponse:
        if request.method == "POST" and panel is FieldsPanel:
            return self._save_fields(request, object_id)
        response = super()._panel_view(request, object_id, panel)
        if panel is SetUpPanel:
            response["Cache-Control"] = "no-store"
        return response

    def _save_fields(self, request: HttpRequest, object_id: str) -> HttpResponse:
        source: Source = self.row_to_act_on(request, object_id, Role.ADMIN)
        here = redirect("admin:intake_source_fields", source.pk)
        try:
            sample = read_sample(sample=source.sample, template_format=source.format)
        except ValidationError:
            return here
        form = MappingForm(sample, from_plain(source.mapping), request.POST)
        if not form.is_valid():
            return self.panel_page(request, source, FieldsPanel, form=form)
        source.mapping = to_plain(form.mapping())
        source.save(update_fields=["mapping"])
        self.log_change(request, source, "Changed what fills the fields of events.")
        messages.success(request, "Saved. Below is what the sample becomes.")
        return here

    def tabs(self, request: HttpRequest, row: Any, current: str | None) -> dict[str, Any]:
        """Leave out the fields of Twilio's callbacks, which are known."""
        tabs = super().tabs(request, row, current)
        if row.is_twilio:
            (page,) = tabs["tab_list"]
            page["items"] = [item for item in page["items"] if item["title"] != FieldsPanel.title]
        return tabs

    @admin.display(description="last refused", ordering="last_refused_at", empty_value="never")
    def refused(self, source: Source) -> dt.datetime | None:
        """Return when a callback was refused, as its signature was missing or wrong."""
        return source.last_refused_at

    @labelled("platform", ordering="kind", labels={"Twilio": "info"})
    def kind_label(self, source: Source) -> str:
        """Return the platform."""
        return source.get_kind_display()
