"""Doing the same step for many tasks at once.

A step takes a processor three times as long when other code ran before it as when the step itself
did: its code and data have left the caches. A task that goes from step to step alone pays that at
each; tasks that meet before a step pay it once for all of them.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Gathering(Generic[Item]):
    """Gathers what is added in one turn of the loop, and hands it to `work` at the end of it."""

    def __init__(self, work: Callable[[Sequence[Item]], None]) -> None:
        self._work = work
        self._items: list[Item] = []

    def add(self, item: Item) -> None:
        """Take an item; needs a running loop."""
        if not self._items:
            asyncio.get_running_loop().call_soon(self.flush)
        self._items.append(item)

    def flush(self) -> None:
        """Hand over at once what has been gathered."""
        items, self._items = self._items, []
        if items:
            self._work(items)
