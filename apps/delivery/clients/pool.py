"""Connections at rest, of which the next request to the same receiver takes the newest."""

import asyncio
from collections import defaultdict, deque
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from aiohttp.connector import Connection

KEEPALIVE_S: Final = 15.0

Origin = tuple[str, str, int]
"""Scheme, host and port: what connections are shared by."""


class _Resting(NamedTuple):
    connection: "Connection"
    since: float


class Pool:
    """Keeps connections for as long as receivers do, which close those at rest for a while.

    The newest goes first: what belongs to it is likely to be in the processor's caches, and where
    few are needed at a time, the others come to their end.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._resting: defaultdict[Origin, deque[_Resting]] = defaultdict(deque)
        self._timer: asyncio.TimerHandle | None = None

    def take(self, origin: Origin) -> "Connection | None":
        """Return the newest one, whose other side may be gone; None if there is none."""
        resting = self._resting.get(origin)
        if not resting:
            return None
        if resting[-1].since < monotonic() - KEEPALIVE_S:
            self.drop(origin)
            return None
        return resting.pop().connection

    def put(self, origin: Origin, connection: "Connection") -> None:
        """Keep a connection whose answer was read to its end."""
        self._resting[origin].append(_Resting(connection, monotonic()))
        if self._timer is None:
            self._timer = self._loop.call_later(KEEPALIVE_S / 2, self._sweep)

    def drop(self, origin: Origin) -> None:
        """Close all of a receiver."""
        for resting in self._resting.pop(origin, ()):
            drop(resting.connection)

    def close(self) -> None:
        """Close all."""
        if self._timer is not None:
            self._timer.cancel()
        for origin in list(self._resting):
            self.drop(origin)

    def _sweep(self) -> None:
        """Close those that are at rest for long."""
        oldest = monotonic() - KEEPALIVE_S
        for origin, resting in list(self._resting.items()):
            while resting and resting[0].since < oldest:
                drop(resting.popleft().connection)
            if not resting:
                del self._resting[origin]
        self._timer = None
        if self._resting:
            self._timer = self._loop.call_later(KEEPALIVE_S / 2, self._sweep)


def drop(connection: "Connection") -> None:
    """Close at once: a polite TLS close would hold the socket for as long as the peer likes."""
    if connection.transport is not None:
        connection.transport.abort()
    connection.close()
