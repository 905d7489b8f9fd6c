"""The senders: a few tasks for each lane, each of which sends one delivery after another."""

import asyncio
import datetime as dt
import logging
import time
import uuid
from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import NamedTuple

from apps.delivery.clients.batch_client import GuardedSession, send
from apps.delivery.clients.exchange import current_exchange
from apps.delivery.clients.failures import STOPPING
from apps.delivery.engine.claims import LEASE_MARGIN_S, Claimed
from apps.delivery.engine.endpoints import Endpoint, EndpointCache, Unusable
from apps.delivery.engine.gathering import Gathering
from apps.delivery.engine.hold import Hold
from apps.delivery.engine.judging import Ended, Judging
from apps.delivery.engine.lanes import Lane
from apps.delivery.engine.pace import Pace
from apps.delivery.engine.recorder import Recorder
from apps.delivery.engine.requests import Prepared, prepare
from apps.delivery.engine.snapshots import LargeSnapshots, parsed
from apps.delivery.outcome import ErrorKind, not_sent
from apps.delivery.retry import LOST_TOO_OFTEN, MOST_LOST
from apps.webhooks.rendering import CompiledTemplate
from apps.webhooks.tokens import Snapshot

logger = logging.getLogger(__name__)

# After a request to stop, requests under way get this long before they are broken off.
STOP_GRACE_S = 10.0
_LOOK_S = 1.0


class Outgoing(NamedTuple):
    """A delivery whose turn it is; it has no request while its snapshot is to be read yet."""

    held: Claimed
    prepared: Prepared | None


# A sender that wants the next delivery of a lane. It gets None where there is none.
_Wish = tuple[Lane, "asyncio.Future[Outgoing | None]"]


class Senders:
    """At most `concurrency` tasks, which go from lane to lane where there are more of those.

    While `pace` says so, there are fewer. What they tried is judged, and what they may not begin
    any more goes back to the hold.
    """

    def __init__(
        self,
        session: GuardedSession,
        *,
        hold: Hold,
        cache: EndpointCache,
        large: LargeSnapshots,
        recorder: Recorder,
        judging: Judging,
        concurrency: int,
    ) -> None:
        self._session = session
        self._hold = hold
        self._cache = cache
        self._large = large
        self._recorder = recorder
        self._judging = judging
        self._wishes = Gathering(self._grant)
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
            outgoing = await self._next(lane)
            if outgoing is None:
                continue
            try:
                await self._send(lane, outgoing)
            # One delivery must not end a sender.
            except Exception:
                logger.exception("The try of %s broke down.", outgoing.held.id)
                self._judging.broke_down(outgoing.held)
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

    # --- What is sent next: chosen and prepared for all senders of a turn together ---------------

    async def _next(self, lane: Lane) -> Outgoing | None:
        wish: asyncio.Future[Outgoing | None] = asyncio.get_running_loop().create_future()
        self._wishes.add((lane, wish))
        try:
            return await wish
        except asyncio.CancelledError:
            if not wish.cancelled() and (granted := wish.result()):
                self._hold.refuse(granted.held)
            raise

    def _grant(self, wishes: Sequence[_Wish]) -> None:
        try:
            # What has been learned from the last tries may end a lane, or fill the recorder.
            self._judging.flush()
            started_at = dt.datetime.now(dt.UTC)
            for lane, wish in wishes:
                if not (wish.done() or self._recorder.is_full):
                    wish.set_result(self._take(lane, started_at))
        finally:
            # Whoever got nothing looks again.
            for _, wish in wishes:
                if not wish.done():
                    wish.set_result(None)

    def _take(self, lane: Lane, started_at: dt.datetime) -> Outgoing | None:
        """Take out of a lane until there is a delivery that is to be sent, or nothing left."""
        while lane.queue and not self._hold.is_closing:
            held = lane.queue.popleft()
            if lane.is_low:
                self._hold.news.set()
            try:
                outgoing = self._outgoing(held, started_at)
            # The others of this turn wait for theirs.
            except Exception:
                logger.exception("The try of %s broke down.", held.id)
                self._judging.broke_down(held)
                continue
            if outgoing is not None:
                return outgoing
        return None

    def _outgoing(self, held: Claimed, started_at: dt.datetime) -> Outgoing | None:
        usable = self._usable(held)
        if usable is None:
            return None
        if held.snapshot is None:
            return Outgoing(held, None)
        prepared = self._prepared(held, parsed(held.snapshot), *usable, started_at=started_at)
        return Outgoing(held, prepared) if prepared else None

    def _usable(self, held: Claimed) -> tuple[Endpoint, CompiledTemplate] | None:
        """Return what a delivery is sent to and made from; None where it is not, and is ended."""
        endpoint = self._cache.endpoints.get(held.webhook_id)
        template = self._cache.templates.get(held.template_version_id)
        if endpoint is None or template is None:
            # Deleted since the claim, and its deliveries with it; or dropped from the cache while
            # it waited for its snapshot.
            self._hold.refuse(held)
        elif held.lost_count >= MOST_LOST:
            self._end(held, ErrorKind.LOST, LOST_TOO_OFTEN)
        elif isinstance(endpoint, Unusable):
            self._end(held, ErrorKind.SETTINGS, endpoint.reason)
        elif isinstance(template, Unusable):
            self._end(held, ErrorKind.SETTINGS, template.reason)
        elif not self._may_begin(held, endpoint):
            # Somebody claims it again, or ends it.
            self._hold.refuse(held)
        else:
            return endpoint, template
        return None

    def _may_begin(self, held: Claimed, endpoint: Endpoint) -> bool:
        """Tell whether it is wanted still, and ours for long enough."""
        now = time.monotonic()
        is_expired = held.expires_at is not None and held.expires_at <= now
        is_late = held.deadline - now < endpoint.timeout_s + LEASE_MARGIN_S
        return not (is_expired or is_late or self._hold.is_closing)

    def _prepared(
        self,
        held: Claimed,
        snapshot: Snapshot,
        endpoint: Endpoint,
        template: CompiledTemplate,
        *,
        started_at: dt.datetime,
    ) -> Prepared | None:
        """Return the request; None where it can not be made, and the try is ended."""
        try:
            return prepare(held, snapshot, endpoint, template, started_at=started_at)
        # A payload that can not be made must not take the rest of the batch with it.
        except Exception:
            logger.exception("Could not make the payload of %s", held.id)
            self._end(held, ErrorKind.RENDER, "The payload could not be made.")
            return None

    def _end(self, held: Claimed, kind: ErrorKind, reason: str) -> None:
        """End a try before anything is sent."""
        self._judging.add(Ended(held, not_sent(kind, reason)))

    # --- Sending ---------------------------------------------------------------------------------

    async def _send(self, lane: Lane, outgoing: Outgoing) -> None:
        held, prepared = outgoing
        if self._hold.is_closing:
            self._hold.refuse(held)
        elif prepared is None:
            await self._send_large(lane, held)
        else:
            await self._exchange(held, prepared)

    async def _send_large(self, lane: Lane, held: Claimed) -> None:
        times_emptied = lane.times_emptied
        try:
            async with self._large.of(held) as snapshot:
                # Meanwhile, its webhook may have been switched off, or changed.
                if snapshot is None or lane.times_emptied != times_emptied:
                    self._hold.refuse(held)
                    return
                usable = self._usable(held)
                if usable is None:
                    return
                now = dt.datetime.now(dt.UTC)
                prepared = self._prepared(held, snapshot, *usable, started_at=now)
                if prepared is not None:
                    await self._exchange(held, prepared)
        except asyncio.CancelledError:
            # Still waiting for its snapshot: a request that is broken off ends as a try.
            self._hold.refuse(held)
            raise

    async def _exchange(self, held: Claimed, prepared: Prepared) -> None:
        try:
            outcome = await send(self._session, prepared.request)
        except asyncio.CancelledError:
            # Broken off at the end of the grace: it counts as sent if it was written.
            exchange = current_exchange.get()
            outcome = exchange.outcome(None if exchange.is_whole else STOPPING)
        self._judging.add(Ended(held, outcome, prepared))
