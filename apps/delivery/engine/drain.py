"""The drain: works until nothing is due.

One task claims, a few tasks a webhook send, one task records. The claimer and the recorder have a
connection each, so neither waits for the other. What is held in memory is bounded, whatever the
backlog.
"""

import asyncio
import contextlib
import os
import socket
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

from psycopg import AsyncConnection

from apps.delivery.clients.batch_client import guarded_session
from apps.delivery.engine.bell import listening
from apps.delivery.engine.claims import (
    FIRST,
    Claimed,
    Taken,
    active_revisions,
    claim_due,
    give_back,
    let_go,
    seconds_to_next_due,
    with_snapshots,
)
from apps.delivery.engine.database import Database
from apps.delivery.engine.endpoints import Endpoint, EndpointCache
from apps.delivery.engine.expiry import expire
from apps.delivery.engine.health import Entry, release_backlogs
from apps.delivery.engine.hold import Hold
from apps.delivery.engine.judging import Judging
from apps.delivery.engine.lanes import CONCURRENCY, REFILL
from apps.delivery.engine.recorder import Recorder
from apps.delivery.engine.senders import STOP_GRACE_S, Senders
from apps.delivery.engine.settings import DrainSettings, Tally
from apps.delivery.engine.snapshots import LargeSnapshots

# The most due deliveries that one claim takes.
CLAIM_LIMIT = 1500
# A worker holds so many times what it sends at the same time.
HOLD_ROUNDS = 16
# A claim that would bring fewer is put off. While there is enough to send, the next claim comes
# after a pause, and brings more for its price: what waits is to last for as long as a claim takes
# beside a recording, while the loop is busy.
MIN_CLAIM = 64
CLAIM_PAUSE_S = 0.05
CLAIM_AHEAD_S = 0.25
# However much news there is, one claim does not follow the other at once.
CLAIM_REST_S = 0.005
# Work without a pause of this length is more than one drain should do alone, in seconds.
HELP_AFTER_S = 1.0
# Without news, the claimer looks by itself this often.
POLL_S = 1.0
# And this often while a webhook with a limit has work, whose bucket is small.
LIMITED_POLL_S = 0.1
# A claimer that has not turned for so long claims nothing, as when the database is away.
IDLE_AFTER_S = 10.0


class Drain:
    """One run of the engine. `await run()`, once; `stop()` from a signal handler ends it early."""

    def __init__(self, settings: DrainSettings) -> None:
        self.tally = Tally()
        self._settings = settings
        self._capacity = HOLD_ROUNDS * settings.concurrency
        self._cache = EndpointCache()
        self._hold = Hold()
        self._after = FIRST
        self._worker = uuid.uuid4()
        # Webhooks to which no other worker may send, as this one does.
        self._held_webhooks: set[uuid.UUID] = set()
        # When to keep up, until when to look often for what is due, and when next at all.
        self._keep_up_at = 0.0
        self._limited_until = 0.0
        self._look_at = 0.0
        # How many were tried when that was last looked at, and when that was.
        self._tried_before = (0, time.monotonic())
        # When the loop and the claimer in it last turned.
        self.seen_at_s = self._turned_at_s = time.monotonic()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._claims: Database
        self._recorder: Recorder
        self._judging: Judging
        self._senders: Senders

    async def run(self) -> Tally:
        """Work until nothing is due for a while, the life is over, or a stop is asked for."""
        self._loop = asyncio.get_running_loop()
        self._note_the_time()
        async with self._set_up():
            async with listening(self._settings.redis_url, self._hold.news.set, self._is_claiming):
                await self._claim_all()
            # Whoever rang just before we stopped listening counts on us.
            if not self._hold.is_closing:
                await self._claim_once()
            await self._wind_up()
        return self.tally

    def stop(self) -> None:
        """Ask the drain to give back what it has not begun and to end soon. Signal-safe."""
        self._hold.is_closing = True
        # The loop is closed when the drain has just ended by itself.
        with contextlib.suppress(RuntimeError):
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._hold.news.set)

    def _note_the_time(self) -> None:
        """Let others see, from another thread, that the loop turns; as long as it does."""
        self.seen_at_s = time.monotonic()
        if self._loop is not None:
            self._loop.call_later(POLL_S, self._note_the_time)

    def _is_claiming(self) -> bool:
        return time.monotonic() - self._turned_at_s < IDLE_AFTER_S

    @contextlib.asynccontextmanager
    async def _set_up(self) -> AsyncIterator[None]:
        """Connect all parts; a database that is away is not waited for when stopping."""
        settings = self._settings
        async with (
            guarded_session(settings.policy) as session,
            Database(settings.database, lambda: self._hold.is_closing) as self._claims,
            Database(settings.database, lambda: self._hold.is_closing) as snapshots,
            Database(settings.database) as records,
        ):
            self._recorder = Recorder(
                records,
                worker=f"{socket.gethostname()}:{os.getpid()}",
                stored=self._hold.let_go,
                learned=self._heed,
            )
            self._judging = Judging(
                hold=self._hold,
                cache=self._cache,
                recorder=self._recorder,
                tell=self.tally.count,
            )
            self._senders = Senders(
                session,
                hold=self._hold,
                cache=self._cache,
                large=LargeSnapshots(snapshots),
                recorder=self._recorder,
                judging=self._judging,
                concurrency=settings.concurrency,
            )
            with self._senders.pace:
                yield

    async def _claim_all(self) -> None:
        born = idle_since = time.monotonic()
        help_at = born + HELP_AFTER_S
        while not self._hold.is_closing and time.monotonic() - born < self._settings.life_s:
            if self._recorder.has_failed:
                # What is sent from now on would be sent again: its try is not kept.
                self._hold.is_closing = True
                return
            self._turned_at_s = time.monotonic()
            self._hold.news.clear()
            await self._hand_back()
            await self._keep_up()
            claimed = await self._claim_once()
            now = time.monotonic()
            if claimed or self._hold.count:
                idle_since = now
                if now > help_at:
                    help_at = now + HELP_AFTER_S
                    await asyncio.to_thread(self._settings.call_help)
            else:
                help_at = now + HELP_AFTER_S
                if now - idle_since > self._settings.linger_s:
                    return
            if claimed is None or self._hold.count > self._settings.concurrency // 2:
                await asyncio.sleep(self._claim_pause_s(now) if claimed else CLAIM_PAUSE_S)
                continue
            await asyncio.sleep(CLAIM_REST_S)
            if not claimed:
                await self._wait_for_news()
        if not self._hold.is_closing:
            await asyncio.to_thread(self._settings.call_help)

    def _claim_pause_s(self, now: float) -> float:
        """Return for how long the next claim may be put off; `now` is that of the monotonic clock.

        It is short where senders would be out of work before that claim has come.
        """
        tried, since = self._tried_before
        self._tried_before = self.tally.tried, now
        rate_per_s = (self.tally.tried - tried) / max(now - since, CLAIM_REST_S)
        lasts_s = self._hold.lanes.waiting() / max(rate_per_s, 1.0)
        return min(max(lasts_s - CLAIM_AHEAD_S, CLAIM_REST_S), CLAIM_PAUSE_S)

    async def _claim_once(self) -> int | None:
        """Claim what there is room for and start sending it; return how many there were.

        None when there is no room until the recorder has caught up.
        """
        limit = min(CLAIM_LIMIT, self._capacity - self._hold.count)
        if limit < min(MIN_CLAIM, self._settings.concurrency):
            return None
        rooms = self._hold.lanes.ask(self._capacity)
        self._cache.make_room(self._hold.lanes)

        async def claim(connection: AsyncConnection[Any]) -> Taken:
            return await claim_due(
                connection,
                worker=self._worker,
                limit=limit,
                per_webhook=REFILL,
                rooms=rooms,
                after=self._after,
                lease_s=self._settings.lease_s,
                loop_time=time.monotonic(),
            )

        async def complete(connection: AsyncConnection[Any]) -> list[Claimed]:
            claimed = await with_snapshots(connection, taken)
            await self._cache.learn(
                connection,
                revisions={each.webhook_id: each.revision for each in claimed},
                versions={each.template_version_id for each in claimed},
            )
            return claimed

        taken = await self._claims.run(claim)
        claimed = await self._claims.run(complete)
        self.tally.claimed += len(claimed)
        self._hold.count += len(claimed)
        # A claim that is full of webhooks without a lane may have left out those behind its last
        # one: go on from there.
        was_partial = self._after != FIRST
        new = [each.webhook_id for each in claimed if each.webhook_id not in rooms]
        self._after = max(new) if len(new) >= limit else FIRST
        for each in claimed:
            self._begin(each)
        if not claimed and was_partial:
            return await self._claim_once()
        return len(claimed)

    def _begin(self, held: Claimed) -> None:
        """Put a delivery into its lane, and see that somebody sends it."""
        endpoint = self._cache.endpoints.get(held.webhook_id)
        concurrency = CONCURRENCY
        if isinstance(endpoint, Endpoint):
            concurrency = endpoint.concurrency
            if endpoint.is_held:
                self._held_webhooks.add(held.webhook_id)
            if endpoint.is_limited:
                self._limited_until = time.monotonic() + 5 * POLL_S
        self._senders.attend(self._hold.lanes.add(held, concurrency))

    async def _hand_back(self) -> None:
        """Give back what is not to be sent now, as its endpoint is left alone."""
        unwanted = self._hold.unwanted()
        if unwanted:
            # Not at once: a lease that is too short for any request would make us spin.
            await self._claims.run(lambda connection: give_back(connection, unwanted, in_s=POLL_S))
            self._hold.let_go(len(unwanted))

    async def _keep_up(self) -> None:
        """Look, once in a while, what was changed, what is to be released and what is too late."""
        if time.monotonic() < self._keep_up_at:
            return
        self._keep_up_at = time.monotonic() + POLL_S
        await self._review()
        await self._let_go()
        has_backlog = await self._claims.run(release_backlogs)
        has_late = await self._claims.run(expire)
        if has_backlog or has_late:
            self._keep_up_at = 0.0

    async def _review(self) -> None:
        """Heed changes of webhooks and accounts in what was claimed before and has not begun."""
        in_use = self._hold.lanes.in_use()

        async def look(connection: AsyncConnection[Any]) -> set[uuid.UUID]:
            active = await active_revisions(connection, in_use)
            await self._cache.learn(connection, revisions=active, versions=())
            return in_use - active.keys()

        if in_use:
            for off in await self._claims.run(look):
                self._hold.refuse(*self._hold.lanes.take(off))

    async def _let_go(self) -> None:
        """Let others send to what this worker alone has sent to, and is done with."""
        done = {key for key in self._held_webhooks if self._hold.lanes.is_idle(key)}
        if done:
            await self._claims.run(lambda connection: let_go(connection, self._worker, done))
            self._held_webhooks -= done

    def _heed(self, entry: Entry) -> None:
        """Act on what has been learned of endpoints."""
        for webhook_id in entry.opened():
            self._hold.refuse(*self._hold.lanes.take(webhook_id))
        if entry.to_release():
            self._keep_up_at = 0.0
        self._hold.news.set()

    async def _wait_for_news(self) -> None:
        """Wait until something may be due."""
        now = time.monotonic()
        if now >= self._look_at:
            due_in = await self._claims.run(seconds_to_next_due)
            self._look_at = now + (POLL_S if due_in is None else min(POLL_S, max(due_in, 0.001)))
        poll_s = LIMITED_POLL_S if now < self._limited_until else POLL_S
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hold.news.wait(), min(poll_s, self._look_at - now))

    async def _wind_up(self) -> None:
        """Finish what has begun, give back the rest, and record."""
        await self._senders.finish()
        was_stopped = self._hold.is_closing
        await self._give_up()
        await self._senders.stop()
        self._judging.close()
        await self._give_up()
        await self._recorder.close(timeout_s=STOP_GRACE_S if was_stopped else None)
        await self._let_go()

    async def _give_up(self) -> None:
        """Give back all that has not begun."""
        rest = [*self._hold.unwanted(), *self._hold.lanes.empty()]
        if rest:
            await self._claims.run(lambda connection: give_back(connection, rest, free_probes=True))
