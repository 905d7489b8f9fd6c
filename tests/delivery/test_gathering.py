"""What is done for many tasks at once, at the end of a turn of the loop."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from apps.delivery.engine import judging, senders
from apps.delivery.engine.drain import Drain
from apps.delivery.engine.endpoints import EndpointCache
from apps.delivery.engine.gathering import Gathering
from apps.delivery.engine.hold import Hold
from apps.delivery.jobs import drain_settings
from apps.delivery.models import Attempt
from tests.builders import World, attach, make_webhook
from tests.delivery.agreement import assert_log_agrees
from tests.delivery.breaking import assert_one_is_sent_later, break_down_once
from tests.delivery.receiver import Receiver
from tests.delivery.sending import PATIENCE_S, drain, states, take_calls
from tests.delivery.test_lanes import claimed


def gathered(*turns: Sequence[str], flush_after: str = "") -> list[list[str]]:
    """Return what was done together when that was added, turn by turn."""
    done: list[list[str]] = []

    async def add_all() -> None:
        gathering = Gathering[str](lambda items: done.append(list(items)))
        for turn in turns:
            for item in turn:
                gathering.add(item)
                if item == flush_after:
                    gathering.flush()
            await asyncio.sleep(0)
        gathering.flush()

    asyncio.run(add_all())
    return done


def test_is_done_once_for_all_of_a_turn() -> None:
    assert gathered("abc", "", "de") == [["a", "b", "c"], ["d", "e"]]


def test_is_done_at_once_when_asked_and_never_twice() -> None:
    assert gathered("abc", flush_after="b") == [["a", "b"], ["c"]]


def test_what_was_learned_in_a_turn_counts_for_what_is_begun_in_it() -> None:
    hold = Hold()
    lane = hold.lanes.add(claimed())
    (held,) = lane.queue

    def refuse_the_lane(_: Sequence[str]) -> None:
        hold.refuse(*hold.lanes.take(lane.webhook_id))

    ended: Any = Gathering(refuse_the_lane)
    nothing: Any = SimpleNamespace(is_full=False)

    async def begin_and_learn() -> None:
        sending = senders.Senders(
            nothing,
            hold=hold,
            cache=EndpointCache(),
            large=nothing,
            recorder=nothing,
            judging=ended,
            concurrency=1,
        )
        sending.attend(lane)
        # The sender asks for the delivery first.
        await asyncio.sleep(0)
        ended.add("The receiver is gone.")
        await sending.finish()

    asyncio.run(begin_and_learn())

    assert hold.unwanted() == [held]


@pytest.mark.django_db(transaction=True)
class TestADeliveryOfATurn:
    def test_that_breaks_down_takes_no_other_with_it(
        self, world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        break_down_once(monkeypatch, senders, "parsed")
        attach(make_webhook(world, receiver.url()))
        take_calls(world, 4)

        assert_one_is_sent_later(receiver)

    def test_that_can_not_even_be_noted_keeps_no_other_waiting(
        self, world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        break_down_once(monkeypatch, senders, "parsed")
        break_down_once(monkeypatch, judging.Judging, "broke_down")
        attach(make_webhook(world, receiver.url()))
        take_calls(world, 4)
        running = Drain(drain_settings(linger_s=0.0, life_s=1.0))

        asyncio.run(asyncio.wait_for(running.run(), PATIENCE_S))

        assert sorted(states()) == ["pending", *["succeeded"] * 3]

    def test_whose_payload_can_not_be_made_takes_no_other_with_it(
        self, world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        break_down_once(monkeypatch, senders, "prepare")
        attach(make_webhook(world, receiver.url()))
        take_calls(world, 4)

        drain()

        assert sorted(states()) == ["failed", *["succeeded"] * 3]
        assert Attempt.objects.filter(error_kind="render").count() == 1
        assert_log_agrees(receiver)
