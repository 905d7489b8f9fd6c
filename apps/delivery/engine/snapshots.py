"""Snapshots of claimed deliveries: parsed when their turn comes, and large ones read only then."""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

import orjson
import psycopg
from psycopg import AsyncConnection

from apps.delivery.engine.claims import Claimed
from apps.delivery.engine.database import Database
from apps.webhooks.tokens import Snapshot

logger = logging.getLogger(__name__)

# Requests made from large snapshots that are under way at the same time.
MOST_LARGE = 16
_READ = "SELECT snapshot FROM calls_callevent WHERE id = %s"


@lru_cache(maxsize=256)
def parsed(text: str) -> Snapshot:
    """Return a snapshot, for reading only: several deliveries tell of the same event."""
    snapshot: Snapshot = orjson.loads(text)
    return snapshot


class LargeSnapshots:
    """Reads, one by one, those that a claim left in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._places = asyncio.Semaphore(MOST_LARGE)
        self._reading = asyncio.Lock()

    @asynccontextmanager
    async def of(self, held: Claimed) -> AsyncIterator[Snapshot | None]:
        """Hold the snapshot of a delivery in memory for a block; None when it can not be had."""
        async with self._places:
            yield await self._read(held.event_id)

    async def _read(self, event_id: uuid.UUID) -> Snapshot | None:
        async with self._reading:
            try:
                return await self._database.run(lambda connection: _read(connection, event_id))
            except psycopg.Error as error:
                logger.warning("Could not read the snapshot of event %s: %s", event_id, error)
                return None


async def _read(connection: AsyncConnection[Any], event_id: uuid.UUID) -> Snapshot | None:
    cursor = await connection.execute(_READ, [event_id])
    row = await cursor.fetchone()
    return row[0] if row else None
