"""Sending again whatever matches a filter, at a bounded rate: counted, started, worked, cancelled.

A replay is a row. Each sweep plans the next of it in a transaction that also notes how far it has
come, so that a process which dies in the middle neither leaves any out nor plans any twice.
"""

import datetime as dt
import logging
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from apps.accounts.models import User
from apps.calls.events import Timing
from apps.common.locks import hold
from apps.common.moments import NOT_OF_THESE_YEARS, YEARS
from apps.common.outages import is_database_away
from apps.delivery.models import Delivery, DeliveryState, EndpointHealth, Replay
from apps.delivery.services.resend import again, current_versions
from apps.delivery.wake import wake

logger = logging.getLogger(__name__)

# Deliveries of one replay, and how many of them one transaction plans or withdraws.
MOST = 500_000
STEP = 5_000
# Replays of an account that are at work, and what one sweep spends on those of all accounts.
MOST_AT_WORK = 5
TURN_S = 2.0
# What a replay waits after steps in a row that failed, in seconds; one more, and it has failed.
PAUSES_S = (10, 60, 300, 1_800, 7_200)
# What was not planned for longer, as nobody swept, is not made up for.
LONGEST_S = 60.0
WITHDRAWN = "Its replay was cancelled."
_WELL: dict[str, Any] = {"failure_count": 0, "retry_at": None, "last_error": ""}
# What is under way is judged by what comes of it.
_WITHDRAW = """
UPDATE delivery_delivery delivery
SET state = 'expired', finished_at = now(), next_attempt_at = NULL, claim = NULL,
  leased_until = NULL, last_error = %s
FROM (
  SELECT id FROM delivery_delivery
  WHERE replay_id = %s AND state = 'pending'
    AND (leased_until IS NULL OR leased_until <= now())
  LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
) unwanted
WHERE delivery.id = unwanted.id
"""


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """What a replay would send, before anything is. `replay` is not stored."""

    replay: Replay
    deliveries: int
    webhooks: int
    seconds: float


def plan_replay(
    *,
    account_id: uuid.UUID,
    since: dt.datetime,
    until: dt.datetime,
    webhook_ids: Sequence[uuid.UUID] = (),
    states: Sequence[str] = DeliveryState.unsuccessful(),
    timings: Sequence[str] = (),
    with_current_version: bool = False,
    rate_per_s: int = 10,
) -> ReplayPlan:
    """Count what a replay would send, and estimate how long it takes. Sends nothing.

    Finished deliveries of the account that were planned in the window, each event once a webhook.
    Those that failed or expired are left out where they were sent again since and arrived, or are
    still on their way. Raises ValidationError by field for what makes no sense, and for more than
    `MOST`.
    """
    now = timezone.now()
    replay = Replay(
        account_id=account_id,
        since=since,
        # What a replay plans itself is not its own.
        until=min(until, now),
        webhook_ids=list(webhook_ids),
        states=list(states),
        timings=list(timings),
        with_current_version=with_current_version,
        rate_per_s=rate_per_s,
    )
    _check(replay)
    matching = _matching(replay).order_by()
    counts = dict(
        Delivery.objects.filter(pk__in=matching.values("pk")[: MOST + 1])
        .order_by()
        .values_list("webhook")
        .annotate(Count("pk"))
    )
    replay.total = sum(counts.values())
    if replay.total > MOST:
        raise ValidationError(
            {"until": f"More than {MOST:,} deliveries match; choose a shorter time."}
        )
    return ReplayPlan(
        replay=replay,
        deliveries=replay.total,
        webhooks=len(counts),
        seconds=max(replay.total / replay.rate_per_s, _slowest(counts)),
    )


@transaction.atomic
def start_replay(*, plan: ReplayPlan, by: User | None = None) -> Replay:
    """Store a replay that was planned; the sweep begins with it at its next look.

    Raises ValidationError while `MOST_AT_WORK` others of the account are at work.
    """
    replay = plan.replay
    _check_room(replay.account_id)
    replay.started_by = by
    replay.save(force_insert=True)
    return replay


@transaction.atomic
def resume_replay(*, replay: Replay) -> None:
    """Take up again one that has failed, where it was.

    Raises ValidationError for any other, and while `MOST_AT_WORK` of the account are at work.
    """
    _check_room(replay.account_id)
    resumed = Replay.objects.filter(pk=replay.pk, state=Replay.State.FAILED).update(
        state=Replay.State.RUNNING, finished_at=None, stepped_at=timezone.now(), **_WELL
    )
    if not resumed:
        raise ValidationError("Only a replay that has failed can go on.", code="not_failed")


def cancel_replay(*, replay: Replay) -> None:
    """Plan no more of it, and have the sweep withdraw what was planned and is not under way.

    One that is finished already stays as it is.
    """
    Replay.objects.filter(pk=replay.pk, finished_at=None).update(
        state=Replay.State.CANCELLED, **_WELL
    )


def work_replays(turn_s: float = TURN_S) -> None:
    """Bring each replay on by what its rate allows since the last time. The sweep's work.

    Begins with those that have waited longest, and with none after so many seconds: the rest come
    first the next time. One that fails keeps no other from its turn, and is given up in the end.
    """
    until = time.monotonic() + turn_s
    for key in _ready().order_by("stepped_at", "pk").values_list("pk", flat=True):
        if _take_up(key):
            _work(key)
        if time.monotonic() >= until:
            return


def _ready() -> QuerySet[Replay]:
    return Replay.objects.filter(finished_at=None).exclude(retry_at__gt=timezone.now())


@transaction.atomic
def _take_up(key: uuid.UUID) -> bool:
    """Count a try before it is made, as it may end this process; tell whether to make it."""
    replay = _ready().filter(pk=key).select_for_update(skip_locked=True).first()
    if replay is None or _is_given_up(replay):
        return False
    pause_s = PAUSES_S[min(replay.failure_count, len(PAUSES_S) - 1)]
    replay.failure_count = min(replay.failure_count, len(PAUSES_S)) + 1
    replay.retry_at = timezone.now() + dt.timedelta(seconds=pause_s)
    replay.save(update_fields=["failure_count", "retry_at"])
    return True


def _work(key: uuid.UUID) -> None:
    try:
        _step(key)
    except Exception as error:
        if is_database_away(error):
            raise
        logger.exception("Replay %s failed.", key)
        _note_failure(key, error)


@transaction.atomic
def _note_failure(key: uuid.UUID, error: Exception) -> None:
    replay = Replay.objects.filter(pk=key, finished_at=None).select_for_update().first()
    if replay is None:
        return
    # The error itself may tell what is nobody's business.
    replay.last_error = (
        f"Planning it failed {replay.failure_count} times in a row, with {type(error).__name__} at"
        f" last; whoever runs Hookline finds it in the log."
    )
    replay.save(update_fields=["last_error"])
    _is_given_up(replay)


def _is_given_up(replay: Replay) -> bool:
    """End it if that was its last try. What is cancelled is withdrawn, however long it takes."""
    if replay.failure_count <= len(PAUSES_S) or replay.state != Replay.State.RUNNING:
        return False
    replay.state, replay.finished_at = Replay.State.FAILED, timezone.now()
    replay.last_error = replay.last_error or "Planning it has ended the process each time."
    replay.save(update_fields=["state", "finished_at", "last_error"])
    logger.warning("Replay %s is given up.", replay.pk)
    return True


@transaction.atomic
def _step(key: uuid.UUID) -> None:
    unfinished = Replay.objects.filter(pk=key, finished_at=None)
    replay = unfinished.select_for_update(skip_locked=True).first()
    if replay is None:
        return
    if replay.state == Replay.State.CANCELLED:
        _withdraw(replay)
    else:
        _plan_next(replay)
    Replay.objects.filter(pk=key).update(**_WELL)


def _plan_next(replay: Replay) -> None:
    now = timezone.now()
    passed_s = min((now - replay.stepped_at).total_seconds(), LONGEST_S)
    if passed_s < 0:
        # The clock was set back: it begins anew.
        replay.stepped_at = now
        replay.save(update_fields=["stepped_at"])
    allowed = min(int(passed_s * replay.rate_per_s), STEP)
    if allowed < 1:
        return
    # Held, so that none is forgotten before the new one refers to it.
    originals = list(
        _after(replay).order_by("created_at", "pk").select_for_update(no_key=True)[:allowed]
    )
    versions = current_versions(originals) if replay.with_current_version else {}
    pause = dt.timedelta(seconds=1 / replay.rate_per_s)
    Delivery.objects.bulk_create(
        again(
            each,
            version_id=versions.get(each.template_version_id),
            due_at=now + place * pause,
            replay=replay,
        )
        for place, each in enumerate(originals)
    )
    replay.stepped_at = now
    replay.planned_count += len(originals)
    if originals:
        replay.walked_at, replay.walked_key = originals[-1].created_at, originals[-1].pk
        transaction.on_commit(wake)
    if len(originals) < allowed:
        replay.state, replay.finished_at = Replay.State.DONE, now
    replay.save(
        update_fields=[
            *("stepped_at", "planned_count", "walked_at", "walked_key", "state", "finished_at")
        ]
    )


def _check_room(account_id: uuid.UUID) -> None:
    """See that the account may have one more at work; nobody else starts one meanwhile."""
    hold(f"replays {account_id}")
    at_work = Replay.objects.filter(account_id=account_id, finished_at=None)
    if at_work.count() >= MOST_AT_WORK:
        raise ValidationError(
            f"{MOST_AT_WORK} replays are at work; wait for one of them, or cancel one.",
            code="too_many_at_work",
        )


def _withdraw(replay: Replay) -> None:
    """End what it planned as expired; the replay is over when none of that is unfinished."""
    with connection.cursor() as cursor:
        cursor.execute(_WITHDRAW, [WITHDRAWN, replay.pk, STEP])
    replay.stepped_at = timezone.now()
    if not replay.deliveries.filter(state__in=DeliveryState.unfinished()).exists():
        replay.finished_at = replay.stepped_at
    replay.save(update_fields=["stepped_at", "finished_at"])


def _matching(replay: Replay) -> QuerySet[Delivery]:
    """Return the originals that a replay is about, whether it has come to them or not."""
    rows = Delivery.objects.filter(
        account_id=replay.account_id,
        resent_from=None,
        state__in=replay.states,
        created_at__gte=replay.since,
        created_at__lt=replay.until,
    )
    if replay.webhook_ids:
        rows = rows.filter(webhook_id__in=replay.webhook_ids)
    if replay.timings:
        rows = rows.filter(timing__in=replay.timings)
    arrived_since = Delivery.objects.filter(resent_from=OuterRef("pk")).exclude(
        state__in=DeliveryState.unsuccessful()
    )
    return rows.filter(
        Q(state=DeliveryState.SUCCEEDED) | ~Exists(arrived_since.order_by().values("pk"))
    )


def _after(replay: Replay) -> QuerySet[Delivery]:
    """Return what of it is to come."""
    rows = _matching(replay)
    if replay.walked_at is None:
        return rows
    return rows.filter(created_at__gte=replay.walked_at).filter(
        Q(created_at__gt=replay.walked_at) | Q(pk__gt=replay.walked_key)
    )


def _check(replay: Replay) -> None:
    if replay.since.year not in YEARS:
        raise ValidationError({"since": NOT_OF_THESE_YEARS})
    if replay.since >= replay.until:
        raise ValidationError(
            {"until": "The end must be after the begin, and the begin in the past."}
        )
    if not replay.states or set(replay.states) - set(DeliveryState.finished()):
        raise ValidationError({"states": "Choose from succeeded, failed, expired and skipped."})
    if set(replay.timings) - set(Timing):
        raise ValidationError({"timings": "Choose from begin, end and updated."})
    if not 1 <= replay.rate_per_s <= Replay.MOST_A_SECOND:
        raise ValidationError({"rate_per_s": f"From 1 to {Replay.MOST_A_SECOND} a second."})


def _slowest(counts: dict[uuid.UUID, int]) -> float:
    """Return how long the webhook takes whose own limit is the narrowest, in seconds."""
    limits = EndpointHealth.objects.filter(webhook_id__in=counts, rate_per_s__isnull=False)
    return max(
        (
            counts[webhook_id] / rate_per_s
            for webhook_id, rate_per_s in limits.values_list("webhook_id", "rate_per_s")
            if rate_per_s
        ),
        default=0.0,
    )
