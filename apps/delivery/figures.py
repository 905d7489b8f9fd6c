"""The figures of a webhook: what it was sent of late, how quickly, and what waits.

Every question has a bound, so that a page opens as quickly with millions of rows as with none.
"""

import datetime as dt
from dataclasses import dataclass

from django.db import connection
from django.db.models import Count, Min, Q, QuerySet

from apps.delivery.models import Delivery, DeliveryState
from apps.webhooks.models import Webhook

RECENT = dt.timedelta(hours=24)
# The newest deliveries of that time that are counted, those of them whose tries are measured, and
# how far a backlog is counted.
MOST_COUNTED = 10_000
MOST_MEASURED = 1_000
MOST_WAITING = 10_000
_LATENCY = """
SELECT percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY attempt.total_ms)
FROM (
  SELECT id FROM delivery_delivery WHERE webhook_id = %s AND created_at >= %s
  ORDER BY created_at DESC LIMIT %s
) delivery
JOIN delivery_attempt attempt ON attempt.delivery_id = delivery.id AND attempt.sends > 0
  AND attempt.error_kind <> 'lost'
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """Of the last 24 hours, but for what waits. Milliseconds; None where there is nothing to say.

    `has_more` and `waits_more` say that a bound was reached, so that there is more than that. What
    waits for a webhook that is off is not tried; for an endpoint that is left alone, at its probe.
    """

    deliveries: int
    has_more: bool
    succeeded: int
    finished: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    waiting: int
    waits_more: bool
    next_try_at: dt.datetime | None

    @property
    def success_rate(self) -> float | None:
        """The share of what is finished that arrived, in percent."""
        return 100 * self.succeeded / self.finished if self.finished else None

    @property
    def whole_percent(self) -> int | None:
        """The same as pages show it."""
        return whole_percent(self.succeeded, self.finished)


def whole_percent(part: int, whole: int) -> int | None:
    """Return a share in percent, never rounded up: 100 says all. None of nothing."""
    return 100 * part // whole if whole else None


def figures_of(webhook: Webhook, now: dt.datetime) -> Figures:
    """Return the figures of a webhook in five queries."""
    since = now - RECENT
    sent = Delivery.objects.exclude(state=DeliveryState.SKIPPED)
    newest = sent.filter(webhook=webhook, created_at__gte=since).order_by("-created_at")
    counts = Delivery.objects.filter(pk__in=newest.values("pk")[:MOST_COUNTED]).aggregate(
        all=Count("pk"),
        succeeded=Count("pk", filter=Q(state=DeliveryState.SUCCEEDED)),
        finished=Count("pk", filter=Q(state__in=DeliveryState.finished())),
    )
    with connection.cursor() as cursor:
        cursor.execute(_LATENCY, [webhook.pk, since, MOST_MEASURED])
        (latencies,) = cursor.fetchone()
    p50, p95, p99 = latencies or (None, None, None)
    pending = Delivery.objects.filter(webhook=webhook, state=DeliveryState.PENDING).order_by()
    behind = Delivery.objects.filter(webhook=webhook, state=DeliveryState.WAITING).order_by()
    # Two counts: each state has an index of its own.
    waiting = sum(each[: MOST_WAITING + 1].count() for each in (pending, behind))
    return Figures(
        deliveries=counts["all"],
        has_more=counts["all"] == MOST_COUNTED,
        succeeded=counts["succeeded"],
        finished=counts["finished"],
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        waiting=min(waiting, MOST_WAITING),
        waits_more=waiting > MOST_WAITING,
        next_try_at=_next_try_at(webhook, pending),
    )


def _next_try_at(webhook: Webhook, pending: QuerySet[Delivery]) -> dt.datetime | None:
    if not webhook.is_active:
        return None
    due_at: dt.datetime | None = pending.aggregate(next=Min("next_attempt_at"))["next"]
    probe_at = webhook.health.probe_at
    return max(due_at, probe_at) if due_at and probe_at else due_at
