"""Deliveries that wait for something of their call: held when planned, released when it comes.

A held delivery is pending and due when the wait is over, so that nothing needs to remember it: the
engine then sends it anyway, or, where it was to be skipped, ends it with what is too late.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence

from django.db import transaction
from django.utils import timezone

from apps.calls.models import CallEvent
from apps.calls.services import RecordedEvent
from apps.campaigns.conditions import has_come
from apps.campaigns.matching import Match
from apps.campaigns.models import Attachment, WaitFor
from apps.delivery.models import Delivery, DeliveryState
from apps.delivery.wake import wake


def hold(matches: Sequence[Match], deliveries: Sequence[Delivery], now: dt.datetime) -> None:
    """Hold those of these deliveries, not stored yet, whose call lacks what they are to have.

    What an event lacks that is dated before, its call may have: then it is sent as it is now.
    """
    if not any(match.attachment.wait_for for match in matches):
        return
    by_event = {(match.recorded.event.pk, match.attachment.pk): match for match in matches}
    lacking: list[tuple[Delivery, Match]] = []
    for delivery in deliveries:
        match = by_event[delivery.event_id, delivery.attachment_key or delivery.event_id]
        waits_for = match.attachment.wait_for
        if waits_for and not has_come(waits_for, match.recorded.event.snapshot):
            lacking.append((delivery, match))
    late = [match for _, match in lacking if _has_now(match)]
    newest = _newest_events(match.recorded.call.pk for match in late) if late else {}
    for delivery, match in lacking:
        attachment = match.attachment
        delivery.waits_for = attachment.wait_for
        if _has_now(match) and match.recorded.call.pk in newest:
            delivery.content_event_id = newest[match.recorded.call.pk]
            continue
        delivery.wait_until = now + dt.timedelta(minutes=attachment.wait_min or 0)
        if delivery.state == DeliveryState.PENDING:
            delivery.next_attempt_at = delivery.wait_until
        if attachment.wait_skips:
            delivery.expires_at = delivery.wait_until


def release_held(*, recorded: Sequence[RecordedEvent]) -> int:
    """Send what waited for what these events brought, as the call is with it; return how many.

    Must run in the transaction that stores the events, which holds their calls. No query where
    they brought nothing that could be waited for, else three.
    """
    brought = {
        (each.call.pk, wait): each.event
        for each in recorded
        if not each.is_duplicate and not each.is_first
        for wait in WaitFor.values
        if has_come(wait, each.event.facts)
    }
    if not brought:
        return 0
    held = [
        delivery
        for delivery in Delivery.objects.filter(
            call_id__in={call_id for call_id, _ in brought},
            state__in=DeliveryState.unfinished(),
            wait_until__isnull=False,
            claim=None,
        )
        .order_by("pk")
        .select_for_update(no_key=True)
        if (delivery.call_id, delivery.waits_for) in brought
    ]
    if not held:
        return 0
    now = timezone.now()
    latest = dict(
        Attachment.objects.filter(
            pk__in=[each.attachment_key for each in held], not_later_than_min__isnull=False
        ).values_list("pk", "not_later_than_min")
    )
    for delivery in held:
        delivery.content_event = brought[delivery.call_id, delivery.waits_for]
        if delivery.expires_at == delivery.wait_until:
            delivery.expires_at = _expiry(delivery, latest)
        delivery.wait_until = None
        if delivery.state == DeliveryState.PENDING:
            delivery.next_attempt_at = now
    Delivery.objects.bulk_update(
        held, ["content_event", "wait_until", "expires_at", "next_attempt_at"], batch_size=500
    )
    transaction.on_commit(wake)
    return len(held)


def _has_now(match: Match) -> bool:
    return has_come(match.attachment.wait_for, match.recorded.call.snapshot)


def _newest_events(call_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    events = CallEvent.objects.filter(call_id__in=set(call_ids)).order_by(
        "call_id", "-occurred_at", "-sequence", "-pk"
    )
    return dict(events.distinct("call_id").values_list("call_id", "pk"))


def _expiry(delivery: Delivery, latest: Mapping[uuid.UUID, int | None]) -> dt.datetime | None:
    minutes = latest.get(delivery.attachment_key) if delivery.attachment_key else None
    return delivery.created_at + dt.timedelta(minutes=minutes) if minutes else None
