"""Forgetting what was sent: bodies first, then deliveries with their calls; also the audit log.

The sweep's work. Each account says for how many days it keeps each. A purge walks the deliveries
and calls of one account after the other by the indexes of their lists, oldest first, in short
transactions that pass over what somebody holds: sending neither waits for it nor pays for an index
of its own.
"""

import datetime as dt
import logging
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from apps.accounts.models import Account
from apps.common.audit import purge_entries
from apps.common.outages import is_database_away

logger = logging.getLogger(__name__)

# Rows that one step looks at, and the pause between two walks over everything.
STEP = 500
PAUSE_S = 6 * 3600.0

# What rooms above keep: called with an account, and until when bodies and records go.
PURGES: list[Callable[[uuid.UUID, dt.datetime, dt.datetime], Iterator[None]]] = []

_Walked = tuple[dt.datetime, uuid.UUID, dt.datetime | None, bool]
_FIRST = (dt.datetime.min.replace(tzinfo=dt.UTC), uuid.UUID(int=0))

_DELIVERIES = """
SELECT created_at, id, finished_at, bodies_removed_at IS NOT NULL FROM delivery_delivery
WHERE account_id = %s AND created_at < %s AND (created_at, id) > (%s, %s)
ORDER BY created_at, id LIMIT %s
"""
# The address stays without its query, which may be the payload.
_REMOVE_BODIES = """
WITH held AS (
  SELECT id FROM delivery_delivery WHERE id = ANY (%(keys)s) FOR NO KEY UPDATE SKIP LOCKED
), emptied AS (
  UPDATE delivery_attempt SET request_headers = '{}', request_body = '', response_headers = '[]',
    response_body = '', url = split_part(url, '?', 1)
  WHERE delivery_id IN (SELECT id FROM held)
)
UPDATE delivery_delivery SET bodies_removed_at = now() WHERE id IN (SELECT id FROM held)
"""
# An original goes after what was sent again from it, which would lose its place otherwise.
_HOLD_DELIVERIES = """
SELECT id FROM delivery_delivery delivery
WHERE id = ANY (%s) AND NOT EXISTS (
  SELECT FROM delivery_delivery again WHERE again.resent_from_id = delivery.id)
FOR UPDATE SKIP LOCKED
"""
_DELETE_DELIVERIES = (
    "DELETE FROM delivery_attempt WHERE delivery_id = ANY (%s)",
    "DELETE FROM delivery_delivery WHERE id = ANY (%s)",
)
_CALLS = """
SELECT created_at, id FROM calls_call
WHERE account_id = %s AND created_at < %s AND (created_at, id) > (%s, %s)
ORDER BY created_at, id LIMIT %s
"""
# With all of its events or not at all: a late event is folded from the first one on.
_HOLD_CALLS = """
SELECT id FROM calls_call call
WHERE id = ANY (%s)
  AND NOT EXISTS (SELECT FROM delivery_delivery WHERE call_id = call.id)
  AND NOT EXISTS (SELECT FROM calls_callevent WHERE call_id = call.id AND created_at >= %s)
FOR UPDATE SKIP LOCKED
"""
_DELETE_CALLS = (
    "DELETE FROM calls_callevent WHERE call_id = ANY (%s)",
    "DELETE FROM calls_call WHERE id = ANY (%s)",
)
# What is told of an endpoint that still fails is kept, or it would be told again.
_DELETE_ALERTS = """
DELETE FROM delivery_alert alert
WHERE account_id = %s AND created_at < %s AND NOT EXISTS (
  SELECT FROM delivery_endpointhealth health
  WHERE health.webhook_id = alert.webhook_id AND health.failing_since = alert.failing_since)
"""


class Purge:
    """A walk over all accounts that goes on where it stopped, and begins anew after a pause."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._steps: Iterator[None] = iter(())
        self._begin_at = clock()

    def run_for(self, seconds: float) -> None:
        """Walk on for so many seconds, a step at least, unless it is the time of the pause."""
        until = self._clock() + seconds
        while True:
            try:
                next(self._steps)
            except StopIteration:
                if self._clock() < self._begin_at:
                    return
                self._steps, self._begin_at = _steps(), self._clock() + PAUSE_S
            if self._clock() >= until:
                return


def _steps() -> Iterator[None]:
    for account in Account.objects.order_by("pk"):
        try:
            yield from _steps_of(account)
        # The rows of one account must not keep those of all others.
        except Exception as error:
            if is_database_away(error):
                raise
            logger.exception("The purge of account %s failed.", account.pk)


def _steps_of(account: Account) -> Iterator[None]:
    now = timezone.now()
    bodies_until = now - dt.timedelta(days=account.keep_bodies_days)
    records_until = now - dt.timedelta(days=account.keep_records_days)
    for deliveries in walk(_DELIVERIES, account.pk, bodies_until):
        _purge_deliveries(deliveries, bodies_until, records_until)
        yield
    for calls in walk(_CALLS, account.pk, records_until):
        _delete([key for _, key in calls], _HOLD_CALLS, [records_until], _DELETE_CALLS)
        yield
    with connection.cursor() as cursor:
        cursor.execute(_DELETE_ALERTS, [account.pk, records_until])
    yield
    for purge in PURGES:
        yield from purge(account.pk, bodies_until, records_until)
    audit_until = now - dt.timedelta(days=account.keep_audit_days)
    for _ in purge_entries(account_id=account.pk, until=audit_until):
        yield


def walk(query: str, account_id: uuid.UUID, until: dt.datetime) -> Iterator[list[Any]]:
    """Return what is older, oldest first, so many rows at a time."""
    at, key = _FIRST
    while True:
        with connection.cursor() as cursor:
            cursor.execute(query, [account_id, until, at, key, STEP])
            rows = cursor.fetchall()
        if rows:
            yield rows
        if len(rows) < STEP:
            return
        at, key, *_ = rows[-1]


def _purge_deliveries(
    rows: Sequence[_Walked], bodies_until: dt.datetime, records_until: dt.datetime
) -> None:
    """Delete those that ended long ago, and take the bodies out of those that ended before that.

    What is not finished has no end, and stays as it is.
    """
    over = [key for _, key, finished_at, _ in rows if finished_at and finished_at < records_until]
    _delete(over, _HOLD_DELIVERIES, [], _DELETE_DELIVERIES)
    full = [
        key
        for _, key, finished_at, is_bare in rows
        if finished_at and finished_at < bodies_until and not is_bare
    ]
    remove_bodies(full)


def remove_bodies(keys: Sequence[uuid.UUID]) -> None:
    """Take bodies and headers out of the tries of deliveries, but for those that somebody holds."""
    if keys:
        with connection.cursor() as cursor:
            cursor.execute(_REMOVE_BODIES, {"keys": list(keys)})


def _delete(
    keys: list[uuid.UUID], hold: str, parameters: list[dt.datetime], statements: Sequence[str]
) -> None:
    """Delete those of the rows that nobody holds and that nothing refers to."""
    if not keys:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(hold, [keys, *parameters])
        held = [key for (key,) in cursor.fetchall()]
        for statement in statements:
            cursor.execute(statement, [held])
