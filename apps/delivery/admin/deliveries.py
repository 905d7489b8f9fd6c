"""Deliveries: what was sent, what came back, and sending it again."""

from collections import Counter
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import pluralize
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from apps.common.access import Role
from apps.common.admin import (
    LogAdmin,
    ScopedRelatedFilter,
    access_of,
    confirmation,
    confirmed,
    labelled,
    page_context,
    tone_of,
)
from apps.common.admin.columns import documents_of
from apps.common.admin.dependent import DependentAdmin
from apps.delivery.admin.attempts import shown
from apps.delivery.admin.search import CALL_FIELDS, WEBHOOK_FIELDS, having
from apps.delivery.models import CallerTurn, Delivery
from apps.delivery.services import resend

_MOST_AT_ONCE = 500
_OFF = " The webhook is switched off: it is sent once that is on again."
# Each is shown with its bodies, which may have hundreds of KB.
_TRIES_SHOWN = 10
# What leads here asks for more than the list offers: the page of a replay, the mail of an alert.
_LED_BY = ("replay", "lost_count__gte", "finished_at__lte")


@admin.register(Delivery)
class DeliveryAdmin(LogAdmin):
    """Deliveries, newest first."""

    empty_text = "Each call that reaches a place with a webhook makes one."
    list_display = [
        "created_at",
        "webhook",
        "caller",
        "moment",
        "shown_state",
        "attempt_count",
        "answer",
        "next_try",
    ]
    list_filter = [
        "state",
        "webhook",
        ("call__location", ScopedRelatedFilter),
        "timing",
        "created_at",
    ]
    list_select_related = ["webhook", "call", "call__location"]
    search_fields = [
        *(f"webhook__{name}" for name in WEBHOOK_FIELDS),
        *(f"call__{name}" for name in CALL_FIELDS),
    ]
    search_help_text = "Webhook, caller, number, webhook-id, or the platform's call id"
    fieldsets = [(None, {"fields": ["webhook", "call", "timing", "shown_state"]})]
    readonly_fields = ["shown_state"]
    change_form_template = "admin/delivery/delivery/change_form.html"
    change_list_template = "admin/delivery/delivery/change_list.html"
    actions = ["resend_selected"]

    def get_urls(self) -> list[URLPattern]:
        """Add the page that sends again."""
        again = path(
            "<path:object_id>/resend/",
            self.admin_site.admin_view(self.resend_view),
            name="delivery_delivery_resend",
        )
        return [again, *super().get_urls()]

    def openable(self, request: HttpRequest) -> QuerySet[Any]:
        """Fetch along what the page names, and no documents or secrets."""
        along = ["webhook", "call__location", "event", "template_version__template"]
        along += ["resent_from", "replay"]
        rows = super().openable(request).select_related(*along)
        return rows.defer(*documents_of(Delivery, along))

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Let pages and mails lead to just what they tell of."""
        return lookup in _LED_BY or super().lookup_allowed(lookup, value, request)

    def search(
        self, request: HttpRequest, rows: QuerySet[Any], text: str
    ) -> tuple[QuerySet[Any], bool]:
        """Look webhooks and calls up before their deliveries."""
        return having(rows, text), False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead those who may to a replay of what the list shows."""
        context = {"may_replay": self.has_resend_permission(request)}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def has_resend_permission(self, request: HttpRequest, obj: Delivery | None = None) -> bool:
        """Let members send again."""
        access = access_of(request)
        return access.has_role(Role.MEMBER, obj.account_id if obj else None)

    def beside_form(self, request: HttpRequest, row: Delivery) -> dict[str, Any]:
        """Show the tries, the newest first."""
        access = access_of(request)
        tries = Paginator(row.attempts.order_by("-started_at", "-pk"), _TRIES_SHOWN)
        page = tries.get_page(request.GET.get("p"))
        return {
            "page": page,
            "attempts": [shown(each, access) for each in page],
            "resent_as": row.resent_as.all(),
            "keep_bodies_days": row.account.keep_bodies_days,
            "may_resend": self.has_resend_permission(request, row),
            "tone": tone_of(self.shown_state, row.shown_state),
            "title": f"Delivery to {row.webhook}",
        }

    def resend_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Send the same event to the same webhook again, after asking."""
        delivery: Delivery = self.row_to_act_on(request, object_id, Role.MEMBER)

        def send() -> HttpResponse:
            again = next(iter(resend(deliveries=[delivery])), None)
            if again is None:
                raise Http404("The delivery is over its time, and was deleted meanwhile.")
            if delivery.webhook.is_active:
                said = "It is on its way again; this page shows the new delivery."
                messages.success(request, said)
            else:
                messages.warning(request, "It is planned again, and sent once the webhook is on.")
            return redirect("admin:delivery_delivery_change", again.pk)

        return confirmed(
            request,
            title=f"Send to “{delivery.webhook}” again?",
            question="The receiver gets the same event once more, under a new id, made with the"
            f" same version of the template.{'' if delivery.webhook.is_active else _OFF}",
            button="Send again",
            back=reverse("admin:delivery_delivery_change", args=[delivery.pk]),
            act=send,
            context=page_context(self, request, original=delivery),
        )

    @admin.action(description="Send selected again", permissions=["resend"])
    def resend_selected(
        self, request: HttpRequest, queryset: QuerySet[Delivery]
    ) -> HttpResponse | None:
        """Send all of them again, after asking, as the button on the page of each does."""
        chosen = list(queryset.order_by("created_at")[: _MOST_AT_ONCE + 1])
        if len(chosen) > _MOST_AT_ONCE:
            messages.error(request, f"Select {_MOST_AT_ONCE} deliveries at most.")
            return None
        allowed = [one for one in chosen if self.has_resend_permission(request, one)]
        if len(allowed) < len(chosen):
            messages.warning(request, "Some belong to accounts in which you can only look.")
        if not allowed:
            return None
        if "confirmed" not in request.POST:
            return self._ask_about(request, allowed)
        resend(deliveries=allowed)
        if held := sum(not one.webhook.is_active for one in allowed):
            messages.warning(request, f"Sent only once their webhook is on: {held}.")
        messages.success(request, f"Planned again: {len(allowed)}.")
        return None

    def _ask_about(self, request: HttpRequest, deliveries: list[Delivery]) -> HttpResponse:
        """Say how many go to which webhook, and which of these are switched off."""
        totals = Counter((one.webhook, one.account) for one in deliveries)
        total = f"{len(deliveries)} deliver{pluralize(len(deliveries), 'y,ies')}"
        return confirmation(
            request,
            title=f"Send {total} again?",
            question="Each receiver gets the same event once more, under a new id, made with the"
            " same version of the template.",
            button=f"Send {len(deliveries)} again",
            back=request.get_full_path(),
            context=page_context(
                self,
                request,
                deliveries=deliveries,
                webhooks=sorted(
                    ((*sent_to, total) for sent_to, total in totals.items()),
                    key=lambda row: (row[0].name.lower(), row[1].name.lower()),
                ),
                names_accounts=len({account for _, account in totals}) > 1,
                checkbox_name=ACTION_CHECKBOX_NAME,
            ),
            template="admin/delivery/delivery/resend_selected.html",
        )

    @admin.display(description="caller", ordering="call__caller")
    def caller(self, delivery: Delivery) -> str:
        """Return who called."""
        return delivery.call.caller or "unknown"

    @admin.display(description="timing", ordering="timing")
    def moment(self, delivery: Delivery) -> str:
        """Return which moment of the call it tells of, and whether it does so once more."""
        if delivery.resent_from_id is None:
            return delivery.get_timing_display()
        again = "replay" if delivery.replay_id else "again"
        return format_html(
            '{} <span class="hl-tag">{}</span>', delivery.get_timing_display(), again
        )

    @labelled(
        "state",
        {
            "Succeeded": "success",
            "Failed": "danger",
            "Expired": "danger",
            "Pending": "info",
            "Waiting": "warning",
        },
        ordering="state",
    )
    def shown_state(self, delivery: Delivery) -> str:
        """Return where it stands."""
        return delivery.shown_state

    @admin.display(description="next try", ordering="next_attempt_at")
    def next_try(self, delivery: Delivery) -> str | None:
        """Return when it is tried next."""
        return delivery.next_try or None

    @admin.display(description="last answer", ordering="last_status")
    def answer(self, delivery: Delivery) -> str | None:
        """Return the last response code, or why there is none."""
        told = delivery.last_status or delivery.last_error or delivery.remark
        return str(told) if told else None


@admin.register(CallerTurn)
class CallerTurnAdmin(DependentAdmin):
    """Turns come and go with deliveries; there is nothing to start from here."""

    list_display = ["caller", "taken_at", "until"]
    fieldsets = [(None, {"fields": ["caller", "taken_at", "until"]})]
