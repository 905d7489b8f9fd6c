"""Exchanges: who was asked, what came back, what the platform was told, and how long it took."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from apps.calls.models import Call
from apps.calls.timeline import Moment
from apps.common.access import Access
from apps.common.admin import LogAdmin, Panel, access_of, labelled, tone_of
from apps.common.masking import shown_url
from apps.delivery.admin.attempts import shown
from apps.delivery.models import Attempt
from apps.delivery.outcome import ErrorKind
from apps.ivr.models import DecidedBy, Ivr, IvrExchange
from apps.ivr.pass_through import pairs_of
from apps.ivr.replies import in_words
from apps.ivr.stats import MOST_COUNTED, endpoints_of

_RECENT = 25
_AFTER_EVENTS = 1
_TOO_LATE = (
    "No complete answer in time. The receiver should answer sooner, or the IVR needs a longer"
    " budget: its callers wait for so long."
)


class ExchangesPanel(Panel):
    """How the receivers of an IVR have been doing, and the newest exchanges with them."""

    slug = "exchanges"
    title = "Exchanges"
    template_name = "admin/ivr/ivr/exchanges.html"

    def context(self, row: Ivr, access: Access) -> dict[str, Any]:
        """Return figures for each endpoint, and the newest exchanges."""
        endpoints = [
            replace(each, url=shown_url(each.url, row.account_id, access))
            for each in endpoints_of(row)
        ]
        newest = row.exchanges.order_by("-created_at").defer("tries")[:_RECENT]
        return {
            "endpoints": endpoints,
            "most_counted": MOST_COUNTED,
            "results_url": settings.PUBLIC_URL + reverse("ivr_results", args=[row.number]),
            "exchanges": [
                {"exchange": each, "next": in_words(each.reply), "tone": _tone(each)}
                for each in newest
            ],
        }


@admin.register(IvrExchange)
class IvrExchangeAdmin(LogAdmin):
    """Exchanges, newest first."""

    empty_text = "Each time an IVR asks a receiver what happens next makes one."
    list_display = ["when", "shown_ivr", "call_external_id", "shown_decided_by", "next", "took"]
    list_documents = ["reply"]
    list_filter = ["decided_by", "ivr", "created_at"]
    list_select_related = ["ivr"]
    search_fields = ["call_external_id", "response_id"]
    search_help_text = "The platform's call id or response id"
    fieldsets = [(None, {"fields": ["ivr", "call_external_id", "response_id", "decided_by"]})]
    change_form_template = "admin/ivr/ivrexchange/change_form.html"

    def openable(self, request: HttpRequest) -> Any:
        """Fetch along what the page names."""
        return super().openable(request).select_related("ivr")

    def beside_form(self, request: HttpRequest, row: IvrExchange) -> dict[str, Any]:
        """Show every try."""
        return {
            **told_of(row, access_of(request)),
            "call": Call.objects.filter(
                account_id=row.account_id, external_id=row.call_external_id
            ).first(),
            "show_history": False,
            "title": f"Exchange of {row.ivr}",
        }

    @admin.display(description="when", ordering="created_at")
    def when(self, exchange: IvrExchange) -> dt.datetime:
        """Return when the receiver was asked."""
        return exchange.created_at

    @admin.display(description="IVR", ordering="ivr__number")
    def shown_ivr(self, exchange: IvrExchange) -> Ivr:
        """Return whose results were sent."""
        return exchange.ivr

    @labelled(
        "decided by",
        {"Target URL": "success", "Fallback URL": "warning", "Default action": "danger"},
        ordering="decided_by",
    )
    def shown_decided_by(self, exchange: IvrExchange) -> str:
        """Return what said how the call went on."""
        return exchange.get_decided_by_display()

    @admin.display(description="next")
    def next(self, exchange: IvrExchange) -> str:
        """Return how the call went on."""
        return in_words(exchange.reply)

    @admin.display(description="took", ordering="total_ms")
    def took(self, exchange: IvrExchange) -> str:
        """Return how long the caller waited."""
        return f"{exchange.total_ms:,.0f} ms"


def exchanges_of(call: Call) -> Iterable[Moment]:
    """Tell of each exchange during a call."""
    exchanges = (
        IvrExchange.objects.filter(account_id=call.account_id, call_external_id=call.external_id)
        .select_related("ivr")
        .defer("tries")
        .order_by("created_at")
    )
    for exchange in exchanges:
        yield Moment(
            at=exchange.created_at,
            title=f"IVR {exchange.ivr}",
            detail=f"{exchange.get_decided_by_display()}: {in_words(exchange.reply)}",
            tone=_tone(exchange),
            link=reverse("admin:ivr_ivrexchange_change", args=[exchange.pk]),
            rank=_AFTER_EVENTS,
        )


def told_of(exchange: IvrExchange, access: Access) -> dict[str, Any]:
    """Return what a page shows of an exchange: how it went on, and each try, the last first."""
    return {
        "exchange": exchange,
        "attempts": [_shown(exchange, plain, access) for plain in reversed(exchange.tries)],
        "next": in_words(exchange.reply),
        "tone": _tone(exchange),
        "kept": pairs_of(exchange.pass_through),
        "waited_ms": (exchange.target_ms or 0) + (exchange.fallback_ms or 0),
    }


def _tone(exchange: IvrExchange) -> str:
    return tone_of(IvrExchangeAdmin.shown_decided_by, exchange.get_decided_by_display())


def _shown(exchange: IvrExchange, plain: dict[str, Any], access: Access) -> dict[str, Any]:
    """Return what the page shows of a try, as of an attempt."""
    fields = {**plain}
    step = DecidedBy(fields.pop("step"))
    fields |= {"account_id": exchange.account_id, "started_at": exchange.created_at}
    attempt = Attempt(worker="the web server", **fields)
    if attempt.error_message and not attempt.error_kind:
        # A whole answer, which could not be used.
        attempt.error_kind = "Answer not used"
    told = {**shown(attempt, access), "title": f"{step.label}, try {attempt.number}"}
    if attempt.error_kind == ErrorKind.TIMEOUT:
        told["explained"] = _TOO_LATE
    return told
