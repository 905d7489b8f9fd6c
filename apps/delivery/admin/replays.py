"""Replays: counted, confirmed, started, watched and cancelled."""

import math
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from apps.accounts.authentication import person_of
from apps.calls.events import Timing
from apps.common.access import Role
from apps.common.admin import ReadOnlyAdmin, access_of, confirmed, labelled, page_context, tone_of
from apps.common.admin.choosing import answer_choices, ask_at
from apps.common.admin.requests import accounts_with_role
from apps.delivery.forms import ReplayForm, from_list
from apps.delivery.models import DeliveryState, Replay
from apps.delivery.services import cancel_replay, resume_replay, start_replay
from apps.webhooks.models import Webhook


@admin.register(Replay)
class ReplayAdmin(ReadOnlyAdmin):
    """Replays, newest first."""

    empty_text = (
        "When a receiver was down for longer than it was tried, everything that failed can be sent"
        " again at once: from the list of deliveries, or from the page of a webhook."
    )
    list_display = ["created_at", "shown_state", "what", "progress", "rate_per_s", "started_by"]
    list_filter = ["state"]
    list_select_related = ["started_by"]
    fieldsets = [(None, {"fields": ["since", "until", "rate_per_s"]})]
    change_form_template = "admin/delivery/replay/change_form.html"
    change_list_template = "admin/delivery/replay/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that start, cancel and go on."""
        pages = [
            path("new/", self.admin_site.admin_view(self.new_view), name="delivery_replay_new"),
            path(
                "<path:object_id>/cancel/",
                self.admin_site.admin_view(self.cancel_view),
                name="delivery_replay_cancel",
            ),
            path(
                "<path:object_id>/resume/",
                self.admin_site.admin_view(self.resume_view),
                name="delivery_replay_resume",
            ),
        ]
        return [*pages, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead those who may to a new one."""
        context = {"may_replay": access_of(request).has_role(Role.MEMBER)}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def beside_form(self, request: HttpRequest, row: Replay) -> dict[str, Any]:
        """Show what it is about, how far it has come, and what became of that."""
        may_act = access_of(request).has_role(Role.MEMBER, row.account_id)
        counts = dict(row.deliveries.order_by().values_list("state").annotate(Count("pk")))
        return {
            "title": "Replay",
            "tone": tone_of(self.shown_state, row.get_state_display()),
            "webhooks": Webhook.objects.filter(account_id=row.account_id, pk__in=row.webhook_ids),
            "states": [DeliveryState(state).label for state in row.states],
            "timings": [Timing(timing).label for timing in row.timings],
            "outcomes": [
                (state, state.label, counts[state]) for state in DeliveryState if state in counts
            ],
            "may_cancel": may_act and row.state == Replay.State.RUNNING,
            "may_resume": may_act and row.state == Replay.State.FAILED,
        }

    def new_view(self, request: HttpRequest) -> HttpResponse:
        """Ask what to send again, say how much that is, and start when it is confirmed."""
        account_ids = accounts_with_role(access_of(request), Role.MEMBER)
        if not account_ids:
            raise PermissionDenied
        if request.method == "POST":
            form = ReplayForm(request.POST, account_ids=account_ids)
        else:
            form = ReplayForm(initial=from_list(request.GET.dict()), account_ids=account_ids)
        ask_at(request.get_full_path(), form.fields)
        if answer := answer_choices(request, form.fields):
            return answer
        is_counted = form.is_bound and form.is_valid() and form.plan is not None
        if is_counted and form.plan and form.plan.deliveries and "start" in request.POST:
            by = person_of(request)
            try:
                replay = start_replay(plan=form.plan, by=by)
            except ValidationError as error:
                form.add_error(None, error)
            else:
                messages.success(request, "It has begun; this page shows how far it has come.")
                return redirect("admin:delivery_replay_change", replay.pk)
        asks = is_counted and not form.errors and "change" not in request.POST
        context = page_context(
            self,
            request,
            title="Replay deliveries",
            form=form,
            plan=form.plan if asks else None,
            lasts=in_words(form.plan.seconds) if asks and form.plan else "",
        )
        return TemplateResponse(request, "admin/delivery/replay/new.html", context)

    def cancel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Cancel after asking."""
        replay: Replay = self.row_to_act_on(request, object_id, Role.MEMBER)
        page = reverse("admin:delivery_replay_change", args=[replay.pk])

        def cancel() -> HttpResponse:
            cancel_replay(replay=replay)
            messages.success(request, "It is cancelled; what was not sent is withdrawn.")
            return redirect(page)

        return confirmed(
            request,
            title="Cancel this replay?",
            question="What it has sent stays sent. The rest is not planned, and what is planned and"
            " not under way ends as expired.",
            button="Cancel the replay",
            back=page,
            act=cancel,
            context=page_context(self, request, original=replay),
            is_dangerous=True,
        )

    def resume_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Go on with one that has failed, after asking."""
        replay: Replay = self.row_to_act_on(request, object_id, Role.MEMBER)
        page = reverse("admin:delivery_replay_change", args=[replay.pk])

        def resume() -> HttpResponse:
            try:
                resume_replay(replay=replay)
            except ValidationError as error:
                messages.error(request, " ".join(error.messages))
            else:
                messages.success(request, "It goes on where it was.")
            return redirect(page)

        return confirmed(
            request,
            title="Go on with this replay?",
            question="What it has planned is not planned again.",
            button="Go on",
            back=page,
            act=resume,
            context=page_context(self, request, original=replay),
        )

    @labelled(
        "state",
        {"Done": "success", "Running": "info", "Cancelled": "warning", "Failed": "danger"},
        ordering="state",
    )
    def shown_state(self, replay: Replay) -> str:
        """Return where it stands."""
        return replay.get_state_display()

    @admin.display(description="what")
    def what(self, replay: Replay) -> str:
        """Return what it is about, in short."""
        webhooks = len(replay.webhook_ids)
        of = f"{webhooks} webhook{'s' if webhooks != 1 else ''}" if webhooks else "all webhooks"
        return f"{', '.join(replay.states)}: {of}"

    @admin.display(description="planned")
    def progress(self, replay: Replay) -> str:
        """Return how far it has come."""
        return f"{replay.planned_count} of {replay.total}"


def in_words(seconds: float) -> str:
    """Return a duration as people say it, rounded up."""
    for name, length in (("second", 1), ("minute", 60), ("hour", 3600), ("day", 86_400)):
        count = math.ceil(seconds / length)
        if count < {"second": 90, "minute": 90, "hour": 48}.get(name, math.inf):
            break
    return f"{max(count, 1)} {name}{'s' if count > 1 else ''}"
