"""How many requests are under way: few while the loop is busy, many while it waits.

And when more is claimed for them.
"""

import asyncio
import itertools
import time

import pytest

from apps.delivery.engine.drain import CLAIM_PAUSE_S, CLAIM_REST_S, Drain
from apps.delivery.engine.lanes import CONCURRENCY
from apps.delivery.engine.pace import Pace
from apps.delivery.jobs import drain_settings
from apps.delivery.models import Delivery
from tests.builders import World, attach, make_webhook
from tests.common.processes import wait_until
from tests.delivery.receiver import Receiver
from tests.delivery.sending import running_drain, states, take_calls, wait_until_sent
from tests.delivery.test_lanes import fill

BUSY_S, IDLE_S = 0.1, 0.001


class Using:
    """A pace whose every place is taken."""

    def __init__(self, most: int) -> None:
        self.looks = 0
        self.used = 1_000_000
        self.pace = Pace(most, lambda: self.used, self._look)

    def _look(self) -> None:
        self.looks += 1

    def follow(self, *worked_s: float) -> int:
        for each_s in worked_s:
            self.pace.follow(each_s)
        return self.pace.limit


def test_grows_to_the_most_while_the_loop_has_little_to_do() -> None:
    using = Using(512)

    assert using.follow(*[IDLE_S] * 50) == 512


def test_never_passes_the_most() -> None:
    assert Using(16).follow(*[IDLE_S] * 50) == 16


def test_shrinks_while_the_loop_has_too_much_to_do_but_not_to_nothing() -> None:
    using = Using(512)
    using.follow(*[IDLE_S] * 50)

    assert using.follow(BUSY_S) < 512
    assert 1 < using.follow(*[BUSY_S] * 50) < 64


def test_a_small_most_is_kept_however_busy_the_loop_is() -> None:
    assert Using(3).follow(*[BUSY_S] * 50) == 3


def test_does_not_grow_while_places_are_free() -> None:
    using = Using(512)
    before, using.used = using.pace.limit, 5

    assert using.follow(*[IDLE_S] * 50) == before


def test_does_not_count_what_was_done_before_it_was_entered() -> None:
    using = Using(512)
    before = using.pace.limit
    until = time.thread_time() + BUSY_S
    while time.thread_time() < until:
        pass

    async def enter() -> None:
        with using.pace:
            pass

    asyncio.run(enter())

    assert using.pace.limit >= before


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

    assert using.looks
    assert using.pace.limit < before if is_busy else using.pace.limit > before


@pytest.mark.django_db(transaction=True)
def test_nothing_is_left_behind_when_senders_become_fewer(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    # All but one of those that are left wait for a receiver.
    limits = itertools.cycle([64, CONCURRENCY + 1])
    monkeypatch.setattr(Pace, "follow", lambda pace, _: setattr(pace, "limit", next(limits)))
    slow = make_webhook(world, receiver.url("/gated"), timeout_s=60)
    attach(slow)
    for number in range(8):
        attach(make_webhook(world, receiver.url(f"/ok/{number}")))
    take_calls(world, 40)
    others = Delivery.objects.exclude(webhook=slow)

    with running_drain():
        wait_until(lambda: not others.exclude(state="succeeded").exists())
        assert len(receiver.at("/gated")) == CONCURRENCY
        receiver.gate.set()
        wait_until_sent()

    assert set(states()) == {"succeeded"}


@pytest.mark.parametrize(
    ("waiting", "tried", "pause_s"),
    [(100, 1_000, CLAIM_REST_S), (1_000, 1_000, CLAIM_PAUSE_S), (100, 0, CLAIM_PAUSE_S)],
)
def test_the_next_claim_comes_before_what_waits_is_out(
    waiting: int, tried: int, pause_s: float
) -> None:
    running = Drain(drain_settings())
    fill(running._hold.lanes, waiting)
    before = time.monotonic()
    running._claim_pause_s(before)
    running.tally.tried = tried

    assert running._claim_pause_s(before + 0.5) == pause_s
