"""The drain: works until nothing is due.

One task claims, a few tasks a webhook send, one task records. The claimer and the recorder have a
connection each, so neither waits for the other. What is held in memory is bounded, whatever the
backlog.
"""

import asyncio
import contextlib
import datetime as dt
import logging
import os
import random
import socket
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection

from apps.common.egress import EgressPolicy
from apps.delivery.clients.aiohttp_client import GuardedSession, guarded_session, send
from apps.delivery.engine.bell import listening
from apps.delivery.engine.claims import (
    FIRST,
    LEASE_MARGIN_S,
    Claimed,
    claim_due,
    give_back,
    seconds_to_next_due,
)
from apps.delivery.engine.database import Database
from apps.delivery.engine.endpoints import Endpoint, EndpointCache, Unusable
from apps.delivery.engine.expiry import expire
from apps.delivery.engine.health import Entry, release_backlogs
from apps.delivery.engine.lanes import REFILL, Lane, Lanes
from apps.delivery.engine.recorder import Recorder
from apps.delivery.engine.records import Tried
from apps.delivery.engine.requests import Prepared, prepare
from apps.delivery.outcome import ErrorKind, Outcome, Timings
from apps.delivery.retry import RetryPolicy, State, judge

logger = logging.getLogger(__name__)

# The most due deliveries that one claim takes.
CLAIM_LIMIT = 1000
# A claim that would bring fewer is put off until the recorder has caught up.
MIN_CLAIM = 64
# Work without a pause of this length is more than one drain should do alone, in seconds.
HELP_AFTER_S = 1.0
# Without news, the claimer looks by itself this often.
POLL_S = 1.0
# And this often while a webhook with a limit has work, whose bucket is small.
LIMITED_POLL_S = 0.1
# After a request to stop, requests under way get this long before they are broken off.
STOP_GRACE_S = 10.0


@dataclass(frozen=True, slots=True)
class DrainSettings:
    """How a drain works. `database` are psycopg's connection parameters; times in seconds.

    It ends after `linger_s` without work, and after `life_s` in any case. `call_help` is called,
    in a thread, while there is more to do than it has done in a while, and when its life ends in
    the middle of work.
    """

    database: Mapping[str, Any]
    redis_url: str
    policy: EgressPolicy
    concurrency: int = 512
    lease_s: float = 90.0
    linger_s: float = 30.0
    life_s: float = 600.0
    call_help: Callable[[], None] = lambda: None


@dataclass(slots=True)
class Tally:
    """What a drain has done so far."""

    claimed: int = 0
    tried: int = 0
    succeeded: int = 0
    failed: int = 0
    retried: int = 0

    def count(self, state: State) -> None:
        """Count one try by what it led to."""
        self.tried += 1
        match state:
            case State.SUCCEEDED:
                self.succeeded += 1
            case State.FAILED:
                self.failed += 1
            case State.RETRY:
                self.retried += 1


class Drain:
    """One run of the engine. `await run()`, once; `stop()` from a signal handler ends it early."""

    def __init__(self, settings: DrainSettings) -> None:
        self.tally = Tally()
        self._settings = settings
        self._cache = EndpointCache()
        self._lanes = Lanes()
        # Lanes that have work, but found no sender free.
        self._starved: deque[Lane] = deque()
        self._senders: set[asyncio.Task[None]] = set()
        # Deliveries that are claimed and not yet recorded or given back.
        self._held = 0
        # Claimed, but to be given back; and when to look for backlogs to release.
        self._returned: list[Claimed] = []
        self._release_at = 0.0
        self._limited_until = 0.0
        self._after = FIRST
        self._stopping = False
        self._news = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._recorder: Recorder

    async def run(self) -> Tally:
        """Work until nothing is due for a while, the life is over, or a stop is asked for."""
        self._loop = asyncio.get_running_loop()
        async with (
            guarded_session(self._settings.policy) as session,
            Database(self._settings.database, lambda: self._stopping) as claims,
            Database(self._settings.database) as records,
        ):
            self._recorder = Recorder(
                records,
                worker=f"{socket.gethostname()}:{os.getpid()}",
                stored=self._let_go,
                learned=self._heed,
            )
            async with listening(self._settings.redis_url, self._news.set):
                await self._claim_all(claims, session)
            # Whoever rang just before we stopped listening counts on us.
            if not self._stopping:
                await self._claim_once(claims, session)
            await self._wind_up(claims)
            await self._recorder.close(timeout_s=STOP_GRACE_S if self._stopping else None)
        return self.tally

    def stop(self) -> None:
        """Ask the drain to give back what it has not begun and to end soon. Signal-safe."""
        self._stopping = True
        # The loop is closed when the drain has just ended by itself.
        with contextlib.suppress(RuntimeError):
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._news.set)

    # Claiming

    async def _claim_all(self, database: Database, session: GuardedSession) -> None:
        born = idle_since = time.monotonic()
        help_at = born + HELP_AFTER_S
        while not self._stopping and time.monotonic() - born < self._settings.life_s:
            if self._recorder.has_failed:
                # What is sent from now on would be sent again: its try is not kept.
                self._stopping = True
                return
            self._news.clear()
            await self._hand_back(database)
            await self._release(database)
            claimed = await self._claim_once(database, session)
            now = time.monotonic()
            if claimed or self._held:
                idle_since = now
                if now > help_at:
                    help_at = now + HELP_AFTER_S
                    await asyncio.to_thread(self._settings.call_help)
            else:
                help_at = now + HELP_AFTER_S
                if now - idle_since > self._settings.linger_s:
                    return
            if claimed:
                await asyncio.sleep(0)
            else:
                await self._wait_for_news(database)
        if not self._stopping:
            await asyncio.to_thread(self._settings.call_help)

    async def _claim_once(self, database: Database, session: GuardedSession) -> int:
        """Claim what there is room for and start sending it; return how many there were."""
        limit = min(CLAIM_LIMIT, 4 * self._settings.concurrency - self._held)
        if limit < min(MIN_CLAIM, self._settings.concurrency):
            return 0

        async def claim(connection: AsyncConnection[Any]) -> list[Claimed]:
            claimed = await claim_due(
                connection,
                limit=limit,
                per_webhook=REFILL,
                busy=self._lanes.full(),
                after=self._after,
                lease_s=self._settings.lease_s,
                loop_time=time.monotonic(),
            )
            await self._cache.learn(
                connection,
                revisions={each.webhook_id: each.revision for each in claimed},
                versions={each.template_version_id for each in claimed},
            )
            return claimed

        claimed = await database.run(claim)
        self.tally.claimed += len(claimed)
        self._held += len(claimed)
        # A full claim may have left out the webhooks behind its last one: go on from there.
        was_partial = self._after != FIRST
        is_full = len(claimed) == limit
        self._after = (
            max((each.webhook_id for each in claimed), default=FIRST) if is_full else FIRST
        )
        for each in claimed:
            endpoint = self._cache.endpoints.get(each.webhook_id)
            if not isinstance(endpoint, Endpoint):
                self._start_sender(self._lanes.add(each), session)
                continue
            if endpoint.is_limited:
                self._limited_until = time.monotonic() + 5 * POLL_S
            self._start_sender(self._lanes.add(each, endpoint.concurrency), session)
        if not claimed and was_partial:
            return await self._claim_once(database, session)
        return len(claimed)

    async def _hand_back(self, database: Database) -> None:
        """Give back what is not to be sent now, as its endpoint is left alone."""
        returned, self._returned = self._returned, []
        if returned:
            # Not at once: a lease that is too short for any request would make us spin.
            await database.run(lambda connection: give_back(connection, returned, in_s=POLL_S))
            self._let_go(len(returned))

    async def _release(self, database: Database) -> None:
        """Make backlogs due that wait for it, and end what is too late, once in a while."""
        if time.monotonic() < self._release_at:
            return
        self._release_at = time.monotonic() + POLL_S
        await database.run(release_backlogs)
        await database.run(expire)

    def _heed(self, entry: Entry) -> None:
        """Act on what has been learned of endpoints."""
        for webhook_id in entry.opened():
            self._returned += self._lanes.take(webhook_id)
        if entry.to_release():
            self._release_at = 0.0
        self._news.set()

    async def _wait_for_news(self, database: Database) -> None:
        due_in = await database.run(seconds_to_next_due)
        poll_s = LIMITED_POLL_S if time.monotonic() < self._limited_until else POLL_S
        timeout = poll_s if due_in is None else min(poll_s, max(due_in, 0.001))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), timeout)

    # Sending

    def _start_sender(self, lane: Lane, session: GuardedSession) -> None:
        if lane.is_busy:
            return
        if len(self._senders) >= self._settings.concurrency:
            if not lane.under_way:
                self._starved.append(lane)
            return
        lane.under_way += 1
        sender = asyncio.create_task(self._send_lane(lane, session))
        self._senders.add(sender)
        sender.add_done_callback(self._senders.discard)

    async def _send_lane(self, lane: Lane, session: GuardedSession) -> None:
        """Send what is in a lane; take turns with lanes that found no sender."""
        current: Lane | None = lane
        while current is not None:
            while current.queue and not self._stopping:
                held = current.queue.popleft()
                if not current.is_full:
                    self._news.set()
                await self._send_one(held, session)
                if self._starved:
                    break
            current = self._next_lane(current)

    def _next_lane(self, left: Lane) -> Lane | None:
        left.under_way -= 1
        if left.queue:
            self._starved.append(left)
        self._lanes.forget_idle(left)
        while self._starved and not self._stopping:
            lane = self._starved.popleft()
            if lane.queue and not lane.is_busy:
                lane.under_way += 1
                return lane
        return None

    async def _send_one(self, held: Claimed, session: GuardedSession) -> None:
        endpoint = self._cache.endpoints.get(held.webhook_id)
        template = self._cache.templates.get(held.template_version_id)
        if endpoint is None or template is None:
            # Deleted since the claim, and its deliveries with it.
            self._let_go(1)
            return
        if isinstance(endpoint, Unusable):
            self._note(held, None, _not_sent(ErrorKind.SETTINGS, endpoint.reason))
            return
        if isinstance(template, Unusable):
            self._note(held, None, _not_sent(ErrorKind.SETTINGS, template.reason))
            return
        if held.deadline - time.monotonic() < endpoint.timeout_s + LEASE_MARGIN_S:
            # Too late to begin: somebody claims it again.
            self._returned.append(held)
            self._news.set()
            return
        started_at = dt.datetime.now(dt.UTC)
        if held.expires_at is not None and held.expires_at <= started_at:
            self._returned.append(held)
            self._news.set()
            return
        try:
            prepared = prepare(held, endpoint, template, timestamp=int(started_at.timestamp()))
        # A payload that can not be made must not take the rest of the batch with it.
        except Exception:
            logger.exception("Could not make the payload of %s", held.id)
            self._note(held, None, _not_sent(ErrorKind.RENDER, "The payload could not be made."))
            return
        try:
            outcome = await send(session, prepared.request)
        except asyncio.CancelledError:
            # Broken off at the end of the grace; whether it arrived is not known.
            outcome = _not_sent(ErrorKind.LOCAL, "Hookline was stopping.")
        self._note(held, prepared, outcome, started_at, endpoint)

    def _note(
        self,
        held: Claimed,
        prepared: Prepared | None,
        outcome: Outcome,
        started_at: dt.datetime | None = None,
        endpoint: Endpoint | None = None,
    ) -> None:
        now = dt.datetime.now(dt.UTC)
        verdict = judge(
            outcome,
            held.attempt_count + 1,
            endpoint.policy if endpoint else RetryPolicy(),
            now=now,
            random=random.random,
        )
        tried = Tried(
            held=held,
            method=prepared.request.method if prepared else "",
            url=prepared.request.url if prepared else "",
            headers=prepared.masked_headers if prepared else {},
            body=prepared.request.body if prepared else b"",
            started_at=started_at or now,
            outcome=outcome,
            verdict=verdict,
        )
        self._recorder.note(tried)
        self.tally.count(verdict.state)
        if logger.isEnabledFor(logging.INFO):
            logger.info(
                "%s %s → %s: %s (try %d, %d ms)",
                verdict.state.upper(),
                endpoint.name if endpoint else held.webhook_id,
                # The webhook's own URL: what is sent behind it may be personal data.
                endpoint.url if endpoint else "not sent",
                verdict.reason,
                held.attempt_count + 1,
                outcome.timings.total_ms,
            )

    def _let_go(self, count: int) -> None:
        """Note that so many deliveries are no longer held."""
        self._held -= count
        self._news.set()

    # Stopping

    async def _wind_up(self, database: Database) -> None:
        """Finish what has begun and give back the rest."""
        while self._senders and not self._stopping:
            await asyncio.wait(self._senders, return_when=asyncio.FIRST_COMPLETED, timeout=POLL_S)
        waiting = [*self._returned, *self._lanes.empty()]
        if waiting:
            await database.run(lambda connection: give_back(connection, waiting, free_probes=True))
        if self._senders:
            _, late = await asyncio.wait(self._senders, timeout=STOP_GRACE_S)
            for sender in late:
                sender.cancel()
            if late:
                await asyncio.wait(late)


def _not_sent(kind: ErrorKind, message: str) -> Outcome:
    return Outcome(
        status=None,
        headers=(),
        body=b"",
        body_truncated=False,
        error_kind=kind,
        error_message=message,
        timings=Timings(total_ms=0.0),
        sends=0,
    )
