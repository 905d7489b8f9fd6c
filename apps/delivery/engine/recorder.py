"""The recorder: gathers tries and stores them together."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg import AsyncConnection

from apps.delivery.engine.database import Database
from apps.delivery.engine.records import Tried, forget, record

logger = logging.getLogger(__name__)

# The first try of a batch waits this long for others, in seconds.
_PAUSE_S = 0.004


class Recorder:
    """Stores what `note` is given, batch by batch, until `close`.

    `stored` is called with the size of each batch, after it is committed.
    """

    def __init__(self, database: Database, *, worker: str, stored: Callable[[int], None]) -> None:
        self._database = database
        self._worker = worker
        self._stored = stored
        self._noted: list[Tried] = []
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
        self._news.set()

    async def close(self, *, timeout_s: float | None = None) -> None:
        """Store what is left. Raises TimeoutError if the database does not come back in time."""
        self._closing = True
        self._news.set()
        await asyncio.wait_for(self._task, timeout_s)

    async def _run(self) -> None:
        while self._noted or not self._closing:
            await self._news.wait()
            if not self._closing:
                await asyncio.sleep(_PAUSE_S)
                self._news.clear()
            batch, self._noted = self._noted, []
            if batch:
                await self._store(batch)
                self._stored(len(batch))

    async def _store(self, batch: Sequence[Tried]) -> None:
        """Store a batch; a row that the database refuses is left out, never the rest with it.

        That happens when the delivery was deleted while it was under way.
        """
        is_repeated = False

        async def write(connection: AsyncConnection[Any]) -> None:
            nonlocal is_repeated
            async with connection.transaction():
                if is_repeated:
                    await forget(connection, batch)
                is_repeated = True
                await record(connection, batch, worker=self._worker)

        try:
            await self._database.run(write)
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            if len(batch) == 1:
                logger.error("Could not record a try of %s: %s", batch[0].held.id, error)
                return
            middle = len(batch) // 2
            await self._store(batch[:middle])
            await self._store(batch[middle:])
