"""What bounds a worker: memory by bytes, and lines in its log."""

import asyncio
import json
import logging
from typing import Any

import pytest

from apps.calls.models import CallEvent
from apps.common.logs import MOST_LINES_A_SECOND
from apps.delivery.engine import recorder
from apps.delivery.engine.claims import LARGE_BYTES
from apps.delivery.engine.lanes import CONCURRENCY
from apps.delivery.engine.log import TryLog
from apps.delivery.engine.recorder import Recorder
from apps.delivery.engine.records import Tried
from apps.delivery.engine.snapshots import MOST_LARGE
from apps.delivery.models import Attempt, Delivery
from apps.delivery.retry import State, Verdict
from tests.builders import World, attach, event, make_webhook, switch_off
from tests.common.processes import wait_until
from tests.delivery.receiver import Receiver
from tests.delivery.sending import drain, running_drain, states, take, take_calls
from tests.delivery.test_lanes import claimed

pytestmark = pytest.mark.django_db(transaction=True)


class TestALargeSnapshot:
    def test_is_sent_like_any_other(self, world: World, receiver: Receiver) -> None:
        attach(make_webhook(world, receiver.url()))
        notes = "long " * LARGE_BYTES
        for number in range(MOST_LARGE + 4):
            name = f"Ada {number}"
            take(world, event(world, call_id=f"c{number}", caller={"full_name": name}, notes=notes))
        take(world, event(world, call_id="small", caller={"full_name": "Ada small"}))

        drain()

        assert set(states()) == {"succeeded"}
        names = {json.loads(request.body)["name"] for request in receiver.requests}
        assert names == {*(f"Ada {number}" for number in range(MOST_LARGE + 4)), "Ada small"}

    def test_that_was_taken_away_meanwhile_stops_no_other(
        self, world: World, receiver: Receiver
    ) -> None:
        attach(make_webhook(world, receiver.url()))
        take(world, event(world, call_id="large", notes="long " * LARGE_BYTES))
        take(world, event(world, call_id="small"))
        CallEvent.objects.filter(call__external_id="large").update(snapshot={})

        drain()

        assert set(states()) == {"succeeded"}

    def test_that_waits_for_its_turn_is_given_back_by_a_stop(
        self, world: World, receiver: Receiver
    ) -> None:
        for number in range(2):
            attach(make_webhook(world, receiver.url(f"/gated/{number}")))
        for number in range(MOST_LARGE // 2 + 2):
            take(world, event(world, call_id=f"c{number}", notes="long " * LARGE_BYTES))

        with running_drain() as running:
            wait_until(lambda: len(receiver.requests) == MOST_LARGE)
            running.stop()
            receiver.gate.set()

        assert states().count("succeeded") == MOST_LARGE
        assert Delivery.objects.filter(state="pending", claim=None).count() == 4
        assert drain().succeeded == 4
        assert Attempt.objects.count() == len(receiver.requests) == MOST_LARGE + 4

    def test_that_waits_for_its_turn_is_not_sent_to_what_was_switched_off_meanwhile(
        self, world: World, receiver: Receiver
    ) -> None:
        count = MOST_LARGE + 8
        all_begin = make_webhook(world, receiver.url("/gated/all"), concurrency=count)
        most_wait = make_webhook(world, receiver.url("/gated/most"), concurrency=1)
        attach(all_begin)
        attach(most_wait)
        for number in range(count):
            take(world, event(world, call_id=f"c{number}", notes="long " * LARGE_BYTES))

        with running_drain() as running:
            wait_until(lambda: len(receiver.requests) == MOST_LARGE)
            switch_off(all_begin, "Broken.")
            switch_off(most_wait, "Broken.")
            # What has not begun is given back: the drain has heard of it.
            given_back = most_wait.deliveries.filter(state="pending", claim=None)
            wait_until(lambda: given_back.count() == count - 1)
            receiver.gate.set()
            wait_until(lambda: not Delivery.objects.exclude(claim=None).exists())
            running.stop()

        assert len(receiver.requests) == MOST_LARGE == states().count("succeeded")


class TestBodiesThatWaitToBeStored:
    def test_hold_back_what_has_not_begun_until_there_is_room(
        self, world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(recorder, "MOST_BYTES", 1)
        attach(make_webhook(world, receiver.url()))
        take_calls(world, 40)

        assert drain().succeeded == 40

    def test_are_no_more_than_what_was_under_way(
        self, world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(recorder, "MOST_BYTES", 1)
        noted, stored = [0], Recorder.note

        def note(recorder: Recorder, tried: Tried) -> None:
            noted.append(noted[-1] + 1)
            stored(recorder, tried)

        async def store(*arguments: Any, **more: Any) -> None:
            await asyncio.sleep(0.2)
            await record(*arguments, **more)
            noted.append(0)

        record = recorder.record
        monkeypatch.setattr(Recorder, "note", note)
        monkeypatch.setattr(recorder, "record", store)
        attach(make_webhook(world, receiver.url()))
        take_calls(world, 60)

        assert drain().succeeded == 60
        assert max(noted) <= CONCURRENCY


class TestTheLog:
    def test_counts_what_nobody_could_read(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, "apps.delivery.engine.log")
        log, verdict = TryLog(), Verdict(State.SUCCEEDED, "Answered 200.")
        for now in [5.0] * (MOST_LINES_A_SECOND + 7) + [6.1] * 3:
            log.tell(claimed(), None, verdict, 1.0, now=now)
        log.close()

        lines = [record.getMessage() for record in caplog.records]
        assert [line.split()[0] for line in lines] == [
            *["SUCCEEDED"] * MOST_LINES_A_SECOND,
            "…",
            *["SUCCEEDED"] * 3,
        ]
        assert "7 tries more" in lines[MOST_LINES_A_SECOND]
