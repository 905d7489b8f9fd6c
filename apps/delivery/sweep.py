"""The sweep: finds due deliveries that nobody is sending, without any help from Redis."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import redis
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from apps.campaigns.sheets import work_imports
from apps.common.api.idempotency import purge_stored_answers
from apps.delivery.alerts import send_alerts, watch_endpoints
from apps.delivery.engine.expiry import EXPIRE
from apps.delivery.engine.records import RELEASE
from apps.delivery.jobs import run_drain
from apps.delivery.lag import seconds_behind
from apps.delivery.retention import Purge
from apps.delivery.services import purge_turns, work_replays
from apps.delivery.wake import CHANNEL, delivery_queue, start_drain
from apps.webhooks.services import purge_retired_secrets

logger = logging.getLogger(__name__)

# Sweeps in a row that found due deliveries and nobody to send them, before this process does.
PATIENCE = 2
# What one sweep spends on forgetting, in seconds, so that it looks for work soon again.
PURGE_S = 1.0
_BACKLOG_TO_RELEASE = "SELECT EXISTS (SELECT FROM delivery_endpointhealth WHERE release_due)"


@dataclass(slots=True)
class Sweep:
    """Looks again and again; remembers for how long due deliveries found nobody."""

    unattended: int = 0
    purge: Purge = field(default_factory=Purge)

    def run_once(self) -> None:
        """End what is too late, see that what is due is sent, then all else that is to be done."""
        self._keep_sending()
        for work in self._chores():
            _do(work)

    def _keep_sending(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(EXPIRE)
            cursor.execute(RELEASE.format(among=""))
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


def _do(work: Callable[[], object]) -> None:
    try:
        work()
    # The database is away, for all of them.
    except (OperationalError, InterfaceError):
        raise
    # The rows of one tenant must not end the sweep of all.
    except Exception:
        logger.exception("A part of the sweep failed.")


def _is_attended() -> bool:
    """Tell whether a drain is listening, and queue one if none is."""
    try:
        queue = delivery_queue()
        if queue.connection.publish(CHANNEL, b"1"):
            return True
        start_drain(queue)
    except redis.RedisError as error:
        logger.warning("Redis can not be reached: %s", error)
    return False
