"""How many requests a worker has under way: as many as its loop bears without turning slowly."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

# How often is looked, in seconds, and what the loop may work in between: with more, it turns slowly
# because there are so many answers in each turn; with less, it could do with more of them.
_LOOK_S: Final = 0.02
_MUCH_S: Final = 0.05
_LITTLE_S: Final = 0.03
_LEAST: Final = 32


class Pace:
    """Follows how busy a loop is, while a `with` block runs in it; `limit` says what it bears.

    A receiver that answers slowly takes many requests at the same time to be kept busy. With fast
    ones, the processor is what is short: then many do not send more, but every answer and every
    claim waits for all of them. `used` tells how many there are, and `spread` is called at every
    look, to begin more where there may be.
    """

    def __init__(self, most: int, used: Callable[[], int], spread: Callable[[], None]) -> None:
        self.limit = min(most, 2 * _LEAST)
        self._most = most
        self._used = used
        self._spread = spread
        self._worked_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        # What the thread did before is no sign of a busy loop.
        self._worked_s = time.thread_time()
        self._look()

    def __exit__(self, *exception: object) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(_LOOK_S, self._look)
        worked_s = time.thread_time()
        self.follow(worked_s - self._worked_s)
        self._worked_s = worked_s
        self._spread()

    def follow(self, worked_s: float) -> None:
        """Heed that the loop had that much to do since it was last looked at, in seconds."""
        if worked_s > _MUCH_S:
            self.limit = min(self._most, max(_LEAST, self.limit * 3 // 4))
        elif worked_s < _LITTLE_S and self._used() >= self.limit < self._most:
            self.limit = min(self._most, self.limit + self.limit // 4 + 1)
