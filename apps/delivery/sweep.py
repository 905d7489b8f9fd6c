"""The sweep: finds due deliveries that nobody is sending, without any help from Redis."""

import logging
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import redis
from django.db import connection
from django.utils import timezone

from apps.campaigns.sheets import work_imports
from apps.common.api.idempotency import purge_stored_answers
from apps.common.outages import is_database_away, warn
from apps.delivery.alerts import send_alerts, watch_endpoints
from apps.delivery.engine.expiry import EXPIRE, STEP
from apps.delivery.engine.records import RELEASE_AFTER
from apps.delivery.jobs import run_drain
from apps.delivery.lag import seconds_behind
from apps.delivery.retention import Purge
from apps.delivery.services import purge_turns, work_replays
from apps.delivery.wake import ATTENDED, CHANNEL, delivery_queue, start_drain
from apps.webhooks.services import purge_retired_secrets

logger = logging.getLogger(__name__)

# Sweeps in a row that found due deliveries and nobody to send them, before this process does.
PATIENCE = 2
# The most that one of its parts may take, in seconds: a drain of its own lives for 60, and its last
# request may take as long.
STUCK_AFTER_S = 600.0
# What one sweep spends on forgetting, in seconds, so that it looks for work soon again.
PURGE_S = 1.0
# The same for ending what is too late, and the lines that one look walks on.
EXPIRE_S = 1.0
MOST_LINES = 5_000
_WAITING_LINES = """
SELECT DISTINCT call_id, webhook_id FROM delivery_delivery
WHERE state = 'waiting' AND (call_id, webhook_id) > (%s, %s)
ORDER BY call_id, webhook_id LIMIT %s
"""
_FIRST_LINE = (uuid.UUID(int=0), uuid.UUID(int=0))
_BACKLOG_TO_RELEASE = """
SELECT EXISTS (SELECT FROM delivery_endpointhealth WHERE release_at <= now())
"""


@dataclass(slots=True)
class Sweep:
    """Looks again and again; remembers for how long due deliveries found nobody."""

    unattended: int = 0
    purge: Purge = field(default_factory=Purge)
    _line: tuple[uuid.UUID, uuid.UUID] = _FIRST_LINE
    _turned_at_s: float = field(default_factory=time.monotonic)

    def is_getting_on(self) -> bool:
        """Tell whether it is not stuck in one of its parts."""
        return time.monotonic() - self._turned_at_s < STUCK_AFTER_S

    def run_once(self) -> None:
        """End what is too late, see that what is due is sent, then all else that is to be done.

        What fails is logged, and the rest done all the same; raised is only that the database is
        away.
        """
        for work in (_expire, self._walk_lines, self._keep_sending, *self._chores()):
            self._turned_at_s = time.monotonic()
            _do(work)

    def _keep_sending(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_BACKLOG_TO_RELEASE)
            (is_needed,) = cursor.fetchone()
        is_needed = is_needed or seconds_behind() is not None
        if not is_needed or _is_attended():
            self.unattended = 0
            return
        self.unattended += 1
        if self.unattended >= PATIENCE:
            logger.warning("No worker sends what is due; the sweep does it.")
            tally = run_drain(linger_s=0.0, life_s=60.0)
            logger.warning("The sweep made %d tries.", tally.tried)

    def _walk_lines(self) -> None:
        """Let those go that wait for something which was deleted, a part of all lines at a time."""
        with connection.cursor() as cursor:
            cursor.execute(_WAITING_LINES, [*self._line, MOST_LINES])
            lines = cursor.fetchall()
        _release(lines)
        self._line = lines[-1] if len(lines) == MOST_LINES else _FIRST_LINE

    def _chores(self) -> list[Callable[[], object]]:
        """Return what is done beside sending, each on its own."""
        return [
            purge_retired_secrets,
            lambda: purge_turns(timezone.now()),
            purge_stored_answers,
            watch_endpoints,
            send_alerts,
            work_replays,
            work_imports,
            lambda: self.purge.run_for(PURGE_S),
        ]


def _expire() -> None:
    """End what is too late, and let go what waited for it, for a while."""
    until = time.monotonic() + EXPIRE_S
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute(EXPIRE)
            lines = cursor.fetchall()
        _release(lines)
        if len(lines) < STEP:
            return


def _release(lines: Sequence[tuple[uuid.UUID, uuid.UUID]]) -> None:
    if lines:
        calls, webhooks = zip(*lines, strict=True)
        with connection.cursor() as cursor:
            cursor.execute(RELEASE_AFTER, [list(calls), list(webhooks)])


def _do(work: Callable[[], object]) -> None:
    try:
        work()
    # The rows of one tenant must not end the sweep of all.
    except Exception as error:
        if is_database_away(error):
            raise
        logger.exception("A part of the sweep failed.")


def _is_attended() -> bool:
    """Wake the drains, tell whether one claims, and queue one if none does.

    That one listens is not enough: a process that is stuck, or stopped, keeps its connection.
    """
    try:
        queue = delivery_queue()
        if queue.connection.publish(CHANNEL, b"1") and queue.connection.exists(ATTENDED):
            return True
        start_drain(queue)
    except redis.RedisError as error:
        warn("Redis can not be used", error)
    return False
