"""One timer for the deadlines of all exchanges of a session.

`asyncio.timeout` arms and cancels a timer of its own for each request, and nearly none ever rings.
"""

import asyncio
from time import perf_counter
from types import TracebackType
from typing import Final, Self

from apps.delivery.clients.exchange import Exchange

# A deadline is noticed at most this late, in seconds.
LOOK_S: Final = 0.05


class Deadlines:
    """Breaks off the exchanges that are past their deadline; `with deadlines.of(exchange):`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._running: set[Deadline] = set()
        self._timer: asyncio.TimerHandle | None = None

    def of(self, exchange: Exchange) -> "Deadline":
        """Return a block that raises TimeoutError when the exchange is past its deadline."""
        return Deadline(self, exchange)

    def add(self, deadline: "Deadline") -> None:
        """Watch a deadline."""
        self._running.add(deadline)
        if self._timer is None:
            self._timer = self.loop.call_later(LOOK_S, self._look)

    def drop(self, deadline: "Deadline") -> None:
        """Watch it no more."""
        self._running.discard(deadline)

    def _look(self) -> None:
        now = perf_counter()
        for deadline in [each for each in self._running if each.exchange.deadline <= now]:
            self._running.discard(deadline)
            deadline.ring()
        self._timer = self.loop.call_later(LOOK_S, self._look) if self._running else None


class Deadline:
    """The block of one exchange."""

    __slots__ = ("_deadlines", "_has_rung", "_task", "exchange")

    def __init__(self, deadlines: Deadlines, exchange: Exchange) -> None:
        self.exchange = exchange
        self._deadlines = deadlines
        self._has_rung = False
        self._task: asyncio.Task[object]

    def ring(self) -> None:
        """Break off the block, which is waiting for something."""
        self._has_rung = True
        self._task.cancel()

    def __enter__(self) -> Self:
        task = asyncio.current_task(self._deadlines.loop)
        if task is None:
            raise RuntimeError("A deadline is for the code of a task.")
        self._task = task
        self._deadlines.add(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._deadlines.drop(self)
        # Whoever cancelled the task beside us wants it to end.
        if self._has_rung and not self._task.uncancel() and kind is asyncio.CancelledError:
            raise TimeoutError from error
