"""Planning what is sent for an event."""

import datetime as dt
import uuid
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from apps.campaigns.matching import Match
from apps.delivery.models import Delivery, DeliveryState
from apps.delivery.wake import wake

_Line = tuple[uuid.UUID, uuid.UUID]


def plan(*, matches: Sequence[Match]) -> list[Delivery]:
    """Store a delivery for each match, and wake the sender once that is committed.

    Must run in the transaction that stores the events: accepted means planned. A delivery waits
    while an earlier one of the same call and webhook is unfinished, so that a receiver never
    learns of the end before the begin.
    """
    if not matches:
        return []
    now = timezone.now()
    busy = _busy_lines(matches)
    planned: list[Delivery] = []
    for match in sorted(matches, key=_moment_of):
        event, webhook = match.recorded.event, match.attachment.webhook
        version_id = match.attachment.template.current_version_id
        if version_id is None:
            # A template without a version renders nothing; the admin never leaves one behind.
            continue
        line = (event.call_id, webhook.pk)
        waits = line in busy
        busy.add(line)
        planned.append(
            Delivery(
                account_id=event.account_id,
                webhook=webhook,
                template_version_id=version_id,
                call_id=event.call_id,
                event=event,
                attachment_key=match.attachment.pk,
                timing=match.timing,
                state=DeliveryState.WAITING if waits else DeliveryState.PENDING,
                next_attempt_at=None if waits else now,
                expires_at=_expiry(match, now),
            )
        )
    Delivery.objects.bulk_create(planned)
    transaction.on_commit(wake)
    return planned


def _expiry(match: Match, now: dt.datetime) -> dt.datetime | None:
    minutes = match.attachment.not_later_than_min
    return None if minutes is None else now + dt.timedelta(minutes=minutes)


def _moment_of(match: Match) -> tuple[object, ...]:
    event = match.recorded.event
    return (event.occurred_at, event.sequence)


def _busy_lines(matches: Sequence[Match]) -> set[_Line]:
    """Return the (call, webhook) pairs that have unfinished deliveries, which are locked.

    The lock settles the race with the engine: either it finishes them first and they are not
    found, or it finishes them after our commit and finds what waits for them.
    """
    unfinished = (
        Delivery.objects.filter(
            call_id__in={match.recorded.call.pk for match in matches},
            webhook_id__in={match.attachment.webhook_id for match in matches},
            state__in=DeliveryState.unfinished(),
        )
        .order_by("pk")
        .select_for_update(no_key=True)
    )
    return set(unfinished.values_list("call_id", "webhook_id"))
