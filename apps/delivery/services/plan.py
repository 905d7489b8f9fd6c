"""Planning what is sent for an event."""

import datetime as dt
import uuid
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from apps.campaigns.matching import Match
from apps.common.bulk import insert_rows, new_row
from apps.common.prepared import prepared_cursor
from apps.common.queries import as_array
from apps.delivery.models import Delivery, DeliveryState
from apps.delivery.services.changes import Told
from apps.delivery.services.turns import take_turns
from apps.delivery.services.waits import hold
from apps.delivery.wake import wake

_Line = tuple[uuid.UUID, uuid.UUID]

_UNFINISHED = """
SELECT call_id, webhook_id FROM delivery_delivery
WHERE call_id = ANY (%s::uuid[]) AND webhook_id = ANY (%s::uuid[])
  AND state IN ('pending', 'waiting')
ORDER BY id FOR NO KEY UPDATE
"""


def plan(*, matches: Sequence[Match]) -> list[Delivery]:
    """Store a delivery for each match, and wake the sender once that is committed.

    Must run in the transaction that stores the events: accepted means planned. A delivery waits
    while an earlier one of the same call and webhook is unfinished, so that a receiver never
    learns of the end before the begin. What is not to be sent is stored as skipped, with the
    reason. Returns what is to be sent. The number of queries does not depend on that of matches.
    """
    if not matches:
        return []
    now = timezone.now()
    busy = _busy_lines(matches)
    told = Told.before(matches)
    planned: list[Delivery] = []
    for match in sorted(matches, key=_moment_of):
        version_id = match.attachment.template.current_version_id
        if version_id is None:
            # A template without a version renders nothing; the admin never leaves one behind.
            continue
        delivery = _delivery(match, version_id, now)
        reason = match.why_not or told.narrow(match, delivery)
        if reason:
            delivery.skip(reason, now)
        planned.append(delivery)
    take_turns(matches, planned, now)
    sent = [delivery for delivery in planned if delivery.state != DeliveryState.SKIPPED]
    for delivery in sent:
        line = (delivery.call_id, delivery.webhook_id)
        if line in busy:
            delivery.state, delivery.next_attempt_at = DeliveryState.WAITING, None
        busy.add(line)
    hold(matches, sent, now)
    insert_rows(planned)
    if sent:
        transaction.on_commit(wake)
    return sent


def _delivery(match: Match, version_id: uuid.UUID, now: dt.datetime) -> Delivery:
    event, attachment = match.recorded.event, match.attachment
    values = {
        "account_id": event.account_id,
        "webhook_id": attachment.webhook_id,
        "template_version_id": version_id,
        "call_id": event.call_id,
        "event_id": event.pk,
        "attachment_key": attachment.pk,
        "timing": match.timing,
        "state": DeliveryState.PENDING,
        "next_attempt_at": now,
        "waits_for": "",
        "expires_at": _expiry(match, now),
    }
    return new_row(Delivery, values)


def _expiry(match: Match, now: dt.datetime) -> dt.datetime | None:
    minutes = match.attachment.not_later_than_min
    return None if minutes is None else now + dt.timedelta(minutes=minutes)


def _moment_of(match: Match) -> tuple[object, ...]:
    event = match.recorded.event
    return (event.occurred_at, event.sequence)


def _busy_lines(matches: Sequence[Match]) -> set[_Line]:
    """Return the (call, webhook) pairs that have unfinished deliveries, which are locked.

    The lock settles the race with the engine: either it finishes them first and they are not
    found, or it finishes them after our commit and finds what waits for them. No query for calls
    of which nothing was known before.
    """
    new = {match.recorded.call.pk for match in matches if match.recorded.is_first}
    known = {match.recorded.call.pk for match in matches} - new
    if not known:
        return set()
    webhooks = {match.attachment.webhook_id for match in matches}
    with prepared_cursor() as cursor:
        return {*cursor.rows(_UNFINISHED, [as_array(known), as_array(webhooks)])}
