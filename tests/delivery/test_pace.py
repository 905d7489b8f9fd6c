"""How many requests are under way: few while the loop is busy, many while it waits."""

import asyncio
import time

import pytest

from apps.delivery.engine.pace import Pace

BUSY_S, IDLE_S = 0.1, 0.001


class Using:
    """A pace whose every place is taken, and what it said of that."""

    def __init__(self, most: int) -> None:
        self.grown = 0
        self.used = 1_000_000
        self.pace = Pace(most, lambda: self.used, self._grow)

    def _grow(self) -> None:
        self.grown += 1

    def follow(self, *worked_s: float) -> int:
        for each_s in worked_s:
            self.pace.follow(each_s)
        return self.pace.limit


def test_grows_to_the_most_while_the_loop_has_little_to_do() -> None:
    using = Using(512)

    assert using.follow(*[IDLE_S] * 50) == 512
    assert using.grown


def test_never_passes_the_most() -> None:
    assert Using(16).follow(*[IDLE_S] * 50) == 16


def test_shrinks_while_the_loop_has_too_much_to_do_but_not_to_nothing() -> None:
    using = Using(512)
    using.follow(*[IDLE_S] * 50)
    using.grown = 0

    assert using.follow(BUSY_S) < 512
    assert 1 < using.follow(*[BUSY_S] * 50) < 64
    assert not using.grown


def test_a_small_most_is_kept_however_busy_the_loop_is() -> None:
    assert Using(3).follow(*[BUSY_S] * 50) == 3


def test_does_not_grow_while_places_are_free() -> None:
    using = Using(512)
    before, using.used = using.pace.limit, 5

    assert using.follow(*[IDLE_S] * 50) == before
    assert not using.grown


@pytest.mark.parametrize("is_busy", [True, False])
def test_measures_the_loop_it_is_entered_in(*, is_busy: bool) -> None:
    using = Using(512)
    before = using.pace.limit

    async def run() -> None:
        with using.pace:
            until = time.thread_time() + 0.5
            while is_busy and time.thread_time() < until:
                spent_until = time.thread_time() + 0.1
                while time.thread_time() < spent_until:
                    pass
                await asyncio.sleep(0)
            await asyncio.sleep(0 if is_busy else 0.2)

    asyncio.run(run())

    assert using.pace.limit < before if is_busy else using.pace.limit > before
