"""IVRs with their questions, and the tabs of their pages."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, ForeignKey, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from apps.accounts.models import Location
from apps.common.access import Role
from apps.common.admin import (
    AccountScopedAdmin,
    AccountScopedTabularInline,
    Panel,
    labelled,
)
from apps.delivery.admin import Use
from apps.ivr.admin.exchanges import ExchangesPanel
from apps.ivr.forms import IvrQuestionForm
from apps.ivr.models import Ivr, IvrHook, IvrQuestion
from apps.ivr.setting_up import create_ivr


class QuestionInline(AccountScopedTabularInline):
    """What the IVR asks, in its order."""

    model = IvrQuestion
    form = IvrQuestionForm
    fields = ["number", "prompt", "audio", "is_recorded"]
    delete_role = Role.MEMBER
    hide_title = True


class HookPanel(Panel):
    """The tab of the web hook, whose page is a form."""

    slug = "webhook"
    title = "Webhook Settings"


@admin.register(Ivr)
class IvrAdmin(AccountScopedAdmin):
    """IVRs."""

    ordering = ["number"]
    details_title = "IVR"
    empty_text = "A menu of your phone platform that asks a receiver of yours what happens next."
    list_display = ["number", "name", "shown_location", "questions", "state"]
    list_display_links = ["number", "name"]
    list_filter = ["location"]
    list_select_related = ["location", "hook"]
    search_fields = ["name", "number"]
    search_of_members = ["hook__target_url"]
    search_help_text = "ID or name"
    fieldsets = [(None, {"fields": ["number", "name", "location"]})]
    inlines = [QuestionInline]
    panels = (HookPanel, ExchangesPanel)

    def annotated(self, queryset: QuerySet[Ivr]) -> QuerySet[Ivr]:
        """Count questions."""
        return queryset.annotate(question_total=Count("questions"))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Give a new IVR its web hook, which is off until it has a target."""
        if change:
            super().save_model(request, obj, form, change)
        else:
            create_ivr(ivr=obj)

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Say what no location means."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "location":
            field.empty_label = "Every location"
        return field

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """Name what goes; of exchanges there may be millions, and they hold nothing back."""
        named = [f"{ivr}, with its questions, its web hook and its exchanges" for ivr in objs]
        return named, {"IVRs": len(named)}, set(), []

    def response_add(
        self, request: HttpRequest, obj: Ivr, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Go on with its web hook."""
        if "_addanother" in request.POST:
            return super().response_add(request, obj, post_url_continue)
        messages.success(
            request,
            f"IVR {obj} is made. Say below where its results go; until then, callers get the"
            " default action.",
        )
        return redirect("admin:ivr_ivr_webhook", obj.pk)

    def _panel_view(self, request: HttpRequest, object_id: str, panel: type[Panel]) -> HttpResponse:
        if panel is not HookPanel:
            return super()._panel_view(request, object_id, panel)
        ivr: Ivr = self.row_to_act_on(request, object_id, Role.VIEWER)
        page = self.admin_site.get_model_admin(IvrHook)
        tabs = self.tabs(request, ivr, current=HookPanel.slug)
        context = {**tabs, "title": str(ivr), "subtitle": HookPanel.title}
        return page.change_view(request, str(ivr.hook.pk), extra_context=context)

    @admin.display(description="questions", ordering="question_total")
    def questions(self, ivr: Any) -> int:
        """Return how many it has."""
        return int(ivr.question_total)

    @admin.display(description="location", ordering="location__name", empty_value="every location")
    def shown_location(self, ivr: Ivr) -> Location | None:
        """Return whose calls it answers."""
        return ivr.location

    @labelled("web hook", ordering="hook__is_active", labels={"on": "success", "off": "warning"})
    def state(self, ivr: Ivr) -> str:
        """Return whether a receiver is asked."""
        return "on" if ivr.hook.is_active else "off"


def transcripts_of(account_id: uuid.UUID) -> Iterable[Use]:
    """Tell which webhooks of an account IVRs send their transcripts to."""
    for ivr in Ivr.objects.filter(account_id=account_id):
        if ivr.transcription_webhook_id is not None:
            yield Use(
                webhook_id=ivr.transcription_webhook_id,
                title=f"IVR {ivr}",
                detail="transcripts",
                link=reverse("admin:ivr_ivr_webhook", args=[ivr.pk]),
            )
