"""The senders: a few tasks for each lane, each of which sends one delivery after another."""

import asyncio
import datetime as dt
import logging
import random
import time
import uuid
from collections import OrderedDict, deque
from collections.abc import Callable

from apps.common.ids import made_at_s
from apps.delivery.clients.aiohttp_client import GuardedSession, send
from apps.delivery.clients.exchange import current_exchange
from apps.delivery.engine.claims import LEASE_MARGIN_S, Claimed
from apps.delivery.engine.endpoints import Endpoint, EndpointCache, Unusable
from apps.delivery.engine.hold import Hold
from apps.delivery.engine.lanes import Lane
from apps.delivery.engine.log import TryLog
from apps.delivery.engine.pace import Pace
from apps.delivery.engine.recorder import Recorder
from apps.delivery.engine.records import MAX_ERROR_CHARS, Tried
from apps.delivery.engine.requests import Prepared, prepare
from apps.delivery.engine.snapshots import LargeSnapshots, parsed
from apps.delivery.outcome import ErrorKind, Outcome, Timings
from apps.delivery.retry import (
    LOST_TOO_OFTEN,
    MOST_LOST,
    RetryPolicy,
    State,
    broken_down,
    judge,
)
from apps.webhooks.rendering import CompiledTemplate
from apps.webhooks.tokens import Snapshot

logger = logging.getLogger(__name__)

# After a request to stop, requests under way get this long before they are broken off.
STOP_GRACE_S = 10.0
_LOOK_S = 1.0
_NO_POLICY = RetryPolicy()


class Senders:
    """At most `concurrency` tasks, which go from lane to lane where there are more of those.

    While `pace` says so, there are fewer. What they tried goes to the recorder, and what they may
    not begin any more back to the hold.
    """

    def __init__(
        self,
        session: GuardedSession,
        *,
        hold: Hold,
        cache: EndpointCache,
        large: LargeSnapshots,
        recorder: Recorder,
        concurrency: int,
        tell: Callable[[State], None],
    ) -> None:
        self._session = session
        self._hold = hold
        self._cache = cache
        self._large = large
        self._recorder = recorder
        self._tell = tell
        self._log = TryLog()
        self._tasks: set[asyncio.Task[None]] = set()
        # Those that have not ended; a task that has is in the set until the loop turns.
        self._running = 0
        self.pace = Pace(concurrency, lambda: self._running, self._spread)
        # Lanes that have work, but found no sender free; each once, so that whoever has little
        # waits for as many tries as there are lanes.
        self._starved: OrderedDict[uuid.UUID, Lane] = OrderedDict()

    def attend(self, lane: Lane) -> None:
        """See that a lane that got something is sent, as far as there are senders for it."""
        if lane.is_busy:
            return
        if self._running >= self.pace.limit:
            if not lane.under_way:
                self._starved.setdefault(lane.webhook_id, lane)
            return
        lane.under_way += 1
        self._running += 1
        task = asyncio.create_task(self._work(lane))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _spread(self) -> None:
        """Let more senders begin where they are wanted, if there may be more."""
        if self._hold.is_closing or self._running >= self.pace.limit:
            return
        waiting = deque(self._hold.lanes.short_handed())
        while waiting and self._running < self.pace.limit:
            lane = waiting.popleft()
            self.attend(lane)
            if lane.is_short_handed:
                waiting.append(lane)

    async def finish(self) -> None:
        """Wait until everything is sent that may be begun."""
        while self._tasks and not self._hold.is_closing:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED, timeout=_LOOK_S)

    async def stop(self) -> None:
        """Break off what is still under way after the grace."""
        self._hold.is_closing = True
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=STOP_GRACE_S)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
        self._log.close()

    async def _work(self, lane: Lane) -> None:
        """Send what is in a lane; take turns with lanes that found no sender."""
        current: Lane | None = lane
        try:
            while current is not None:
                await self._empty(current)
                current = self._next_lane(current)
        finally:
            self._running -= 1

    async def _empty(self, lane: Lane) -> None:
        """Send what is in a lane, until somebody else should be served."""
        while lane.queue and not self._hold.is_closing:
            if self._recorder.is_full:
                await self._recorder.room()
                continue
            held = lane.queue.popleft()
            if lane.is_low:
                self._hold.news.set()
            try:
                await self._attempt(held)
            # One delivery must not end a sender.
            except Exception:
                logger.exception("The try of %s broke down.", held.id)
                self._recorder.note(self._broken(held))
            if self._starved or self._is_one_too_many:
                return

    def _next_lane(self, left: Lane) -> Lane | None:
        left.under_way -= 1
        if left.queue:
            self._starved.setdefault(left.webhook_id, left)
        while self._starved and not self._hold.is_closing and not self._is_one_too_many:
            _, lane = self._starved.popitem(last=False)
            if lane.queue and not lane.is_busy:
                lane.under_way += 1
                return lane
        return None

    @property
    def _is_one_too_many(self) -> bool:
        return self._running > self.pace.limit

    async def _attempt(self, held: Claimed) -> None:
        """Send one delivery, if that still makes sense."""
        endpoint = self._cache.endpoints.get(held.webhook_id)
        template = self._cache.templates.get(held.template_version_id)
        if endpoint is None or template is None:
            # Deleted since the claim, and its deliveries with it.
            self._hold.let_go(1)
        elif held.lost_count >= MOST_LOST:
            self._note(held, None, _not_sent(ErrorKind.LOST, LOST_TOO_OFTEN))
        elif isinstance(endpoint, Unusable):
            self._note(held, None, _not_sent(ErrorKind.SETTINGS, endpoint.reason))
        elif isinstance(template, Unusable):
            self._note(held, None, _not_sent(ErrorKind.SETTINGS, template.reason))
        elif held.snapshot is not None:
            await self._send(held, parsed(held.snapshot), endpoint, template)
        else:
            await self._send_large(held, endpoint, template)

    async def _send_large(
        self, held: Claimed, endpoint: Endpoint, template: CompiledTemplate
    ) -> None:
        try:
            async with self._large.of(held) as snapshot:
                if snapshot is None:
                    self._hold.refuse(held)
                else:
                    await self._send(held, snapshot, endpoint, template)
        except asyncio.CancelledError:
            # Still waiting for its snapshot: a request that is broken off ends as a try.
            self._hold.refuse(held)
            raise

    async def _send(
        self, held: Claimed, snapshot: Snapshot, endpoint: Endpoint, template: CompiledTemplate
    ) -> None:
        started_at = dt.datetime.now(dt.UTC)
        now = time.monotonic()
        is_expired = held.expires_at is not None and held.expires_at <= now
        is_late = held.deadline - now < endpoint.timeout_s + LEASE_MARGIN_S
        if is_expired or is_late or self._hold.is_closing:
            # Somebody claims it again, or ends it.
            self._hold.refuse(held)
            return
        try:
            prepared = prepare(
                held, snapshot, endpoint, template, timestamp=int(started_at.timestamp())
            )
        # A payload that can not be made must not take the rest of the batch with it.
        except Exception:
            logger.exception("Could not make the payload of %s", held.id)
            self._note(held, None, _not_sent(ErrorKind.RENDER, "The payload could not be made."))
            return
        try:
            outcome = await send(self._session, prepared.request)
        except asyncio.CancelledError:
            # Broken off at the end of the grace: it counts as sent if it was written.
            outcome = current_exchange.get().outcome((ErrorKind.LOCAL, "Hookline was stopping."))
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
        is_repeated = _is_repeated(held, outcome)
        verdict = judge(
            outcome,
            held.attempt_count + 1 - held.lost_count,
            endpoint.policy if endpoint else _NO_POLICY,
            now=now,
            random=random.random,
            stuck_for_s=now.timestamp() - made_at_s(held.id) if is_repeated else 0.0,
        )
        if verdict.disable_webhook:
            # What has not begun waits until it is on again.
            self._hold.refuse(*self._hold.lanes.take(held.webhook_id))
        self._tell(verdict.state)
        self._log.tell(held, endpoint, verdict, outcome.timings.total_ms, now=time.monotonic())
        # Last, so that what breaks down before it is noted once.
        self._recorder.note(
            Tried(
                held=held,
                method=prepared.request.method if prepared else "",
                url=prepared.request.url if prepared else "",
                headers=prepared.masked_headers if prepared else {},
                body=prepared.request.body if prepared else b"",
                started_at=started_at or now,
                outcome=outcome,
                verdict=verdict,
                is_repeated=is_repeated,
            )
        )

    def _broken(self, held: Claimed) -> Tried:
        """Return what is kept of a try that broke down before it was noted."""
        cached = self._cache.endpoints.get(held.webhook_id)
        endpoint = cached if isinstance(cached, Endpoint) else None
        verdict = broken_down(held.lost_count + 1)
        return Tried(
            held=held,
            method=endpoint.method if endpoint else "",
            url=endpoint.url if endpoint else "",
            headers={},
            body=b"",
            started_at=dt.datetime.now(dt.UTC),
            outcome=_not_sent(ErrorKind.LOST, verdict.reason)._replace(sends=1),
            verdict=verdict,
        )


def _is_repeated(held: Claimed, outcome: Outcome) -> bool:
    """Tell whether nothing was sent, on our side and as the last time.

    A proxy that is away for a night would otherwise fill the disk with what all that waits tells
    of it every few seconds, each with its body.
    """
    is_ours = outcome.error_kind is ErrorKind.LOCAL and not outcome.sends
    return is_ours and held.last_error == outcome.error_message[:MAX_ERROR_CHARS]


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
