"""A connection of the engine's own, which comes back by itself."""

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

import orjson
import psycopg
from psycopg import AsyncConnection
from psycopg.types.json import set_json_dumps, set_json_loads

from apps.common.outages import warn

logger = logging.getLogger(__name__)

# Wait before trying again when the database is away, in seconds: doubled up to the second.
_FIRST_WAIT_S = 0.2
_LONGEST_WAIT_S = 5.0

# Statements are few and constant, and their plans are kept for so long, in seconds: to plan a claim
# takes longer than to run it, but a plan that was made for an empty table must not outlive that.
_PLAN_FOR_S = 1.0
_KEEP_PLANS = "SET plan_cache_mode = force_generic_plan"
_FORGET_PLANS = "DISCARD PLANS"

# A database that takes no writes, as a standby, is away, too.
_AWAY = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,
)

T = TypeVar("T")
Work = Callable[[AsyncConnection[Any]], Awaitable[T]]


class Database:
    """One connection in autocommit, used by one task. `parameters` are psycopg's.

    Once `is_stopping` says so, a database that is away is waited for no longer.
    """

    def __init__(
        self, parameters: Mapping[str, Any], is_stopping: Callable[[], bool] = lambda: False
    ) -> None:
        self._parameters = parameters
        self._is_stopping = is_stopping
        self._connection: AsyncConnection[Any] | None = None
        self._planned_at = 0.0

    async def run(self, work: Work[T]) -> T:
        """Do the work; when the database goes away meanwhile, wait for it and do it again.

        So the work must bear being done twice. Other errors of the database are raised.
        """
        wait_s = _FIRST_WAIT_S
        while True:
            try:
                return await work(await self._connected())
            except psycopg.errors.DeadlockDetected as error:
                # PostgreSQL has undone it, and let the other go on.
                logger.warning("Another transaction was in the way, trying again: %s", error)
                continue
            except _AWAY as error:
                if self._is_stopping():
                    raise
                warn("The database is away, the work is done when it is back", error)
            await self._drop()
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    async def _connected(self) -> AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            connection = await AsyncConnection.connect(**self._parameters, autocommit=True)
            set_json_loads(orjson.loads, connection)
            set_json_dumps(orjson.dumps, connection)
            connection.prepare_threshold = 0
            await connection.execute(_KEEP_PLANS)
            self._connection, self._planned_at = connection, time.monotonic()
        if time.monotonic() - self._planned_at > _PLAN_FOR_S:
            await self._connection.execute(_FORGET_PLANS)
            self._planned_at = time.monotonic()
        return self._connection

    async def _drop(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._drop()


def array(values: Iterable[uuid.UUID | int | float | str | None]) -> str:
    """Write keys, numbers and words as PostgreSQL reads an array.

    psycopg takes ten times as long to write a list. Numbers are finite, and words have no control
    characters.
    """
    return "{" + orjson.dumps(list(values))[1:-1].decode() + "}"
