"""At most one delivery for each caller in some hours, however many calls come at once."""

import datetime as dt
import uuid
from collections.abc import Sequence

from django.db import connection

from apps.campaigns.conditions_in_words import turn_is_spent
from apps.campaigns.matching import Match
from apps.common.ids import new_id
from apps.delivery.models import CallerTurn, Delivery, DeliveryState

_Turn = tuple[uuid.UUID, str]
# Whoever comes second waits for the first one's transaction, and finds the turn taken.
_TAKE = """
INSERT INTO delivery_callerturn AS turn
  (id, created_at, account_id, attachment_key, caller, taken_at, until, delivery_key)
SELECT wanted.id, now(), account_id, attachment_key, caller, taken_at,
  taken_at + make_interval(hours => hours), delivery_key
FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::timestamptz[], %s::int[],
  %s::uuid[]) AS wanted(id, account_id, attachment_key, caller, taken_at, hours, delivery_key)
ORDER BY attachment_key, caller
ON CONFLICT (attachment_key, caller) DO UPDATE
  SET taken_at = excluded.taken_at, until = excluded.until, delivery_key = excluded.delivery_key
  WHERE turn.taken_at <= excluded.taken_at - (excluded.until - excluded.taken_at)
RETURNING delivery_key
"""


def take_turns(matches: Sequence[Match], deliveries: Sequence[Delivery], now: dt.datetime) -> None:
    """Skip deliveries, not stored yet, whose caller has had a turn of their attachment.

    One statement, none where nobody asks. It counts from when the events happened. Callers
    without a number are not counted.
    """
    hours = {match.attachment.pk: match.attachment.once_per_caller_h for match in matches}
    if not any(hours.values()):
        return
    events = {match.recorded.event.pk: match.recorded for match in matches}
    wanted: dict[_Turn, tuple[Delivery, dt.datetime]] = {}
    asking: list[Delivery] = []
    for delivery in deliveries:
        key, caller = delivery.attachment_key, _caller(events[delivery.event_id].event.snapshot)
        if key is None or not hours[key] or not caller:
            continue
        if delivery.state == DeliveryState.SKIPPED:
            continue
        asking.append(delivery)
        happened_at = min(events[delivery.event_id].event.occurred_at, now)
        wanted.setdefault((key, caller), (delivery, happened_at))
    if not asking:
        return
    columns = [
        (new_id(), each.account_id, key, caller, at, hours[key], each.pk)
        for (key, caller), (each, at) in wanted.items()
    ]
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [list(column) for column in zip(*columns, strict=True)])
        taken = {row[0] for row in cursor.fetchall()}
    for delivery in asking:
        if delivery.pk not in taken and delivery.attachment_key is not None:
            delivery.skip(turn_is_spent(hours[delivery.attachment_key] or 0), now)


def purge_turns(now: dt.datetime) -> int:
    """Delete turns that hold nobody back any more, in every account; return how many."""
    deleted, _ = CallerTurn.objects.filter(until__lt=now - dt.timedelta(days=1)).delete()
    return deleted


def _caller(snapshot: dict[str, object]) -> str:
    caller = snapshot.get("from")
    return caller if isinstance(caller, str) and caller.startswith("+") else ""
