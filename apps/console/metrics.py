"""What operators graph: how much is sent, how quickly, how much waits, in all accounts together.

Worked out from the database when it is asked for, so every web process answers the same, whichever
worker sent. Keys are made in the order of time, so what is recent is a range of the primary key.
"""

import datetime as dt
import uuid
from collections.abc import Iterator

import redis
from django.db import connection
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from apps.delivery.lag import seconds_behind
from apps.delivery.wake import CHANNEL, delivery_queue

CONTENT_TYPE = CONTENT_TYPE_LATEST
SPAN = dt.timedelta(minutes=1)
# Where counting stops: rows of a minute, and deliveries that wait.
MOST_COUNTED = 1_000_000
_TRIES = """
SELECT coalesce(nullif(error_kind, ''), 'none'), count(*),
  percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY total_ms)
FROM (
  SELECT error_kind, total_ms FROM delivery_attempt WHERE id >= %s AND id < %s LIMIT %s
) recent
GROUP BY 1
"""
_PLANNED = """
SELECT count(*) FROM (
  SELECT FROM delivery_delivery WHERE id >= %s AND id < %s LIMIT %s
) recent
"""
# For each webhook a range of the index over pending work, which begins with the webhook: a moment
# alone would have all of that index read.
_PENDING = """SELECT count(*) FROM (
    SELECT FROM webhooks_webhook webhook CROSS JOIN LATERAL (
      SELECT FROM delivery_delivery delivery
      WHERE delivery.webhook_id = webhook.id AND delivery.state = 'pending'
        AND {is_so} LIMIT %(most)s
    ) pending LIMIT %(most)s
  ) counted"""
_WAITING = """
SELECT
  ({due}),
  ({later}),
  (SELECT count(*) FROM (SELECT FROM delivery_delivery
    WHERE state = 'waiting' LIMIT %(most)s) behind),
  (SELECT count(*) FROM delivery_endpointhealth WHERE probe_at IS NOT NULL)
"""
_WAITING = _WAITING.replace(
    "{due}", _PENDING.replace("{is_so}", "delivery.next_attempt_at <= now()")
).replace("{later}", _PENDING.replace("{is_so}", "delivery.next_attempt_at > now()"))


def exposition() -> bytes:
    """Return all metrics as Prometheus reads them. Raises django.db.Error without the database."""
    registry = CollectorRegistry()
    registry.register(_Delivery())
    return generate_latest(registry)


class _Delivery(Collector):
    def describe(self) -> list[Metric]:
        """Nothing is asked before the first scrape."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Ask, and tell."""
        now = timezone.now()
        span = (_key_from(now - SPAN), _key_from(now), MOST_COUNTED)
        with connection.cursor() as cursor:
            cursor.execute(_TRIES, span)
            tries = cursor.fetchall()
            cursor.execute(_PLANNED, span)
            (planned,) = cursor.fetchone()
            cursor.execute(_WAITING, {"most": MOST_COUNTED})
            due, later, behind, open_breakers = cursor.fetchone()
        yield from _of_tries(tries)
        yield _gauge("planned_last_minute", "Deliveries planned in the last minute.", planned)
        pending = GaugeMetricFamily(
            "hookline_deliveries_unfinished", "Deliveries that are not finished.", labels=["state"]
        )
        for state, count in (("due", due), ("scheduled", later), ("waiting", behind)):
            pending.add_metric([state], count)
        yield pending
        yield _gauge("open_breakers", "Webhooks that are left alone, as they fail.", open_breakers)
        yield _gauge(
            "delivery_lag_seconds", "Age of the oldest due delivery.", seconds_behind() or 0.0
        )
        drains = _drains()
        if drains is not None:
            yield _gauge("drains", "Workers that are sending or ready to.", drains)
        yield _gauge("redis_up", "Whether Redis answers.", 0 if drains is None else 1)


def _of_tries(rows: list[tuple[str, int, list[float]]]) -> Iterator[Metric]:
    counts = GaugeMetricFamily(
        "hookline_tries_last_minute",
        "Tries of the last minute, by kind of failure.",
        labels=["error"],
    )
    latency = GaugeMetricFamily(
        "hookline_try_milliseconds_last_minute",
        "How long they took.",
        labels=["error", "quantile"],
    )
    for error, count, quantiles in rows:
        counts.add_metric([error], count)
        for quantile, milliseconds in zip(("0.5", "0.95", "0.99"), quantiles, strict=True):
            latency.add_metric([error, quantile], milliseconds)
    yield counts
    yield latency


def _drains() -> int | None:
    try:
        ((_, listening),) = delivery_queue().connection.pubsub_numsub(CHANNEL)
    except redis.RedisError:
        return None
    return int(listening)


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"hookline_{name}", help_text, value=value)


def _key_from(moment: dt.datetime) -> uuid.UUID:
    """Return the least key of a row that was made at this moment or later."""
    return uuid.UUID(int=int(moment.timestamp() * 1000) << 80)
