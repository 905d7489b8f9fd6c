"""IVRs with their questions, and the tabs of their pages."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse

from apps.common.access import Role
from apps.common.admin import (
    AccountScopedAdmin,
    AccountScopedTabularInline,
    Panel,
    labelled,
)
from apps.ivr.admin.exchanges import ExchangesPanel
from apps.ivr.models import Ivr, IvrHook, IvrQuestion
from apps.ivr.setting_up import create_ivr


class QuestionInline(AccountScopedTabularInline):
    """What the IVR asks, in its order."""

    model = IvrQuestion
    fields = ["number", "prompt", "audio", "is_recorded"]
    delete_role = Role.MEMBER


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
    list_display = ["number", "name", "location", "questions", "state"]
    list_display_links = ["number", "name"]
    list_filter = ["location"]
    list_select_related = ["location", "hook"]
    search_fields = ["name", "number", "hook__target_url"]
    search_help_text = "ID, name or target URL"
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

    def _panel_view(self, request: HttpRequest, object_id: str, panel: type[Panel]) -> HttpResponse:
        if panel is not HookPanel:
            return super()._panel_view(request, object_id, panel)
        ivr: Ivr = self.row_to_act_on(request, object_id, Role.VIEWER)
        page = self.admin_site.get_model_admin(IvrHook)
        tabs = self.tabs(request, ivr, current=HookPanel.slug)
        # The theme shows tabs on the pages of the model that they name.
        tabs["tab_list"][0]["models"] = [{"name": str(page.opts), "detail": True}]
        context = {**tabs, "title": str(ivr), "subtitle": HookPanel.title}
        return page.change_view(request, str(ivr.hook.pk), extra_context=context)

    @admin.display(description="questions", ordering="question_total")
    def questions(self, ivr: Any) -> int:
        """Return how many it has."""
        return int(ivr.question_total)

    @labelled("web hook", ordering="hook__is_active", labels={"on": "success", "off": "warning"})
    def state(self, ivr: Ivr) -> str:
        """Return whether a receiver is asked."""
        return "on" if ivr.hook.is_active else "off"
