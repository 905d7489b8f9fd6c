"""The recorder: gathers tries and stores them together."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg import AsyncConnection

from apps.delivery.engine.database import Database
from apps.delivery.engine.health import GATHER_S, Entry, HealthBook
from apps.delivery.engine.health import write as write_health
from apps.delivery.engine.records import Tried, forget, record

logger = logging.getLogger(__name__)

# The first try of a batch waits this long for others, in seconds; longer when there are many,
# as a large batch costs less for each of its tries. Only the next one of a call waits for that.
_PAUSE_S = 0.02
_LONG_PAUSE_S = 0.04
_MANY = 64
# Bodies that wait to be stored, in bytes; while there are more, nothing more is begun.
MOST_BYTES = 16 * 1024 * 1024


class Recorder:
    """Stores what `note` is given, batch by batch, until `close`.

    `stored` is called with the size of each batch, after it is committed; `learned` with what
    that said of endpoints. Once a second is the least that health is written while tries come.
    """

    def __init__(
        self,
        database: Database,
        *,
        worker: str,
        stored: Callable[[int], None],
        learned: Callable[[Entry], None],
    ) -> None:
        self._database = database
        self._worker = worker
        self._stored = stored
        self._learned = learned
        self._book = HealthBook()
        self._noted: list[Tried] = []
        self._bytes = 0
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._news = asyncio.Event()
        self._closing = False
        self._task = asyncio.create_task(self._run())

    @property
    def has_failed(self) -> bool:
        """Tell whether it has given up on an error, which `close` then raises."""
        return self._task.done()

    def note(self, tried: Tried) -> None:
        """Take a try to be stored soon."""
        self._noted.append(tried)
        self._bytes += len(tried.body) + len(tried.outcome.body)
        if self._bytes > MOST_BYTES:
            self._has_room.clear()
        self._news.set()

    @property
    def is_full(self) -> bool:
        """Tell whether what was noted is too much to hold more."""
        return not self._has_room.is_set()

    async def room(self) -> None:
        """Wait until that is over."""
        await self._has_room.wait()

    async def close(self, *, timeout_s: float | None = None) -> None:
        """Store what is left. Raises TimeoutError if the database does not come back in time."""
        self._closing = True
        self._news.set()
        await asyncio.wait_for(self._task, timeout_s)

    async def _run(self) -> None:
        pause_s = _PAUSE_S
        try:
            while self._noted or not self._closing:
                await self._wait()
                if not self._closing:
                    await asyncio.sleep(pause_s)
                    self._news.clear()
                batch, self._noted, self._bytes = self._noted, [], 0
                pause_s = _LONG_PAUSE_S if len(batch) >= _MANY else _PAUSE_S
                if batch or self._book:
                    await self._store(batch)
                    self._stored(len(batch))
                if self._bytes <= MOST_BYTES:
                    self._has_room.set()
            await self._store([], everything=True)
        finally:
            # Whoever waits must see that it has failed.
            self._has_room.set()

    async def _wait(self) -> None:
        """Wait for tries; not long, if health was gathered that is not written."""
        if not self._book:
            await self._news.wait()
        elif not self._news.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), GATHER_S)

    async def _store(self, batch: Sequence[Tried], *, everything: bool = False) -> None:
        """Store a batch; a row that the database refuses is left out, never the rest with it.

        That happens when the delivery was deleted while it was under way.
        """
        is_repeated = False
        entry = self._book.entry(batch, everything=everything)

        async def write(connection: AsyncConnection[Any]) -> None:
            nonlocal is_repeated
            async with connection.transaction():
                if is_repeated:
                    await forget(connection, batch)
                is_repeated = True
                if batch:
                    await record(connection, batch, worker=self._worker)
                await write_health(connection, entry)

        try:
            if batch or entry.tallies:
                await self._database.run(write)
            self._book.settle(entry)
            if entry.known:
                self._learned(entry)
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            if len(batch) <= 1:
                held = batch[0].held.id if batch else "no delivery"
                logger.error("Could not record a try of %s: %s", held, error)
                return
            middle = len(batch) // 2
            await self._store(batch[:middle])
            await self._store(batch[middle:])
