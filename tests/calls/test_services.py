"""Recording events: once each, in any order, and cheaply."""

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.access import access_of_key
from apps.accounts.models import Location
from apps.calls import services
from apps.calls.events import EventType
from apps.calls.models import Call, CallEvent
from apps.calls.snapshots import MAX_BYTES, size_of
from apps.intake.services import Receipt, accept_events
from tests.builders import World, attach, event, make_webhook, make_world
from tests.delivery.sending import take

pytestmark = pytest.mark.django_db


def at(second: int) -> str:
    return f"2026-03-28T00:{second // 60:02}:{second % 60:02}Z"


class TestAnEvent:
    def test_is_stored_once_however_often_it_comes(self, world: World) -> None:
        body = event(world)
        first = take(world, body).accepted[0][1]
        again = take(world, body, body).accepted

        assert not first.is_duplicate
        assert [recorded.is_duplicate for _, recorded in again] == [True, True]
        assert [recorded.event.pk for _, recorded in again] == [first.event.pk] * 2
        assert CallEvent.objects.count() == 1

    def test_is_stored_once_when_a_batch_holds_it_twice(self, world: World) -> None:
        body = event(world)
        receipt = take(world, body, body)

        assert [recorded.is_duplicate for _, recorded in receipt.accepted] == [False, True]
        assert CallEvent.objects.count() == 1

    def test_that_repeats_another_calls_id_makes_no_call(self, world: World) -> None:
        take(world, event(world, id="e", call_id="c1"))
        receipt = take(world, event(world, id="e", call_id="c2"))

        assert receipt.accepted[0][1].is_duplicate
        assert Call.objects.get().external_id == "c1"

    @pytest.mark.parametrize("limit", ["MOST_HISTORY", "MOST_HISTORY_BYTES"])
    def test_that_comes_late_to_a_long_history_is_refused(
        self, world: World, monkeypatch: pytest.MonkeyPatch, limit: str
    ) -> None:
        monkeypatch.setattr(services, limit, 3)
        for second in range(10, 14):
            take(world, event(world, type="call.updated", call_id="c", occurred_at=at(second)))

        late = event(world, type="call.updated", call_id="c", occurred_at=at(1))
        new = event(world, type="call.updated", call_id="c", occurred_at=at(20))
        receipt = accept_events(access=access_of_key(world.key), bodies=[late, new])

        assert [each.code for each in receipt.rejected] == ["too_large"]
        assert [index for index, _ in receipt.accepted] == [1]
        assert CallEvent.objects.count() == 5

    def test_may_have_the_id_of_another_accounts(self, world: World) -> None:
        other = make_world("Other")
        take(world, event(world, id="e"))

        assert not take(other, event(other, id="e")).accepted[0][1].is_duplicate
        assert Call.objects.count() == 2

    def test_keeps_the_call_as_it_was_at_its_moment(self, world: World) -> None:
        take(world, event(world, type="call.ended", occurred_at=at(60), status="answered"))
        late = take(world, event(world, type="call.started", occurred_at=at(0)))

        snapshot = late.accepted[0][1].event.snapshot
        assert "status" not in snapshot
        assert "ended_at" not in snapshot

    def test_that_comes_late_moves_no_call_backwards(self, world: World) -> None:
        take(
            world,
            event(world, occurred_at=at(0)),
            event(world, type="call.answered", occurred_at=at(10)),
            event(world, type="call.ended", occurred_at=at(70)),
        )
        take(world, event(world, type="call.ringing", occurred_at=at(5), target="+15550007777"))

        call = Call.objects.get()
        assert (call.status, call.duration_s, call.talk_s) == ("answered", 70, 60)
        assert call.snapshot["target"] == "+15550007777"
        assert call.is_ended

    def test_keeps_its_place_by_sequence_within_a_moment(self, world: World) -> None:
        take(
            world,
            event(world, type="call.updated", sequence=2, occurred_at=at(0), target="+15550000002"),
            event(world, type="call.updated", sequence=1, occurred_at=at(0), target="+15550000001"),
        )

        assert Call.objects.get().snapshot["target"] == "+15550000002"

    def test_at_another_location_leaves_the_call_where_it_is(self, world: World) -> None:
        branch = Location.objects.create(account=world.account, name="Branch")
        take(world, event(world))

        take(
            world, event(world, tracking_number=None, location=branch.public_id, type="call.ended")
        )

        call = Call.objects.get()
        assert call.location == world.location
        assert call.snapshot["location"]["name"] == world.location.name
        assert call.is_ended


class TestACall:
    def test_begins_and_ends_once(self, world: World) -> None:
        kinds = ["call.ringing", "call.started", "call.answered", "call.ended", "call.ended"]
        receipt = take(
            world,
            *(event(world, type=kind, occurred_at=at(n)) for n, kind in enumerate(kinds)),
        )

        recorded = [each for _, each in receipt.accepted]
        assert [each.is_begin for each in recorded] == [True, False, False, False, False]
        assert [each.is_end for each in recorded] == [False, False, False, True, False]

    def test_that_is_only_reported_as_ended_has_no_begin(self, world: World) -> None:
        recorded = take(world, event(world, type="call.ended")).accepted[0][1]

        assert (recorded.is_begin, recorded.is_end) == (False, True)

    def test_knows_who_has_called_the_location_before(self, world: World) -> None:
        take(world, event(world, call_id="c1"))
        take(world, event(world, call_id="c2"))
        take(world, event(world, call_id="c3", **{"from": "+15559998888"}))

        repeat = {call.external_id: call.snapshot["repeat_caller"] for call in Call.objects.all()}
        assert repeat == {"c1": False, "c2": True, "c3": False}

    def test_knows_repeat_callers_of_its_own_batch(self, world: World) -> None:
        take(world, event(world, call_id="c1"), event(world, call_id="c2"))

        repeat = {call.external_id: call.snapshot["repeat_caller"] for call in Call.objects.all()}
        assert repeat == {"c1": False, "c2": True}

    def test_knows_a_repeat_caller_whose_number_comes_late(self, world: World) -> None:
        take(world, event(world, call_id="c1"))
        take(world, event(world, call_id="c2", type="call.updated", **{"from": None}))
        assert Call.objects.get(external_id="c2").snapshot["repeat_caller"] is False

        take(world, event(world, call_id="c2"))

        assert Call.objects.get(external_id="c2").snapshot["repeat_caller"] is True

    @pytest.mark.parametrize("hidden", ["anonymous", "Restricted"])
    def test_of_nobody_known_repeats_nothing(self, world: World, hidden: str) -> None:
        take(world, event(world, call_id="c1", **{"from": hidden}))
        take(world, event(world, call_id="c2", **{"from": hidden}))

        assert not Call.objects.get(external_id="c2").snapshot["repeat_caller"]

    @given(data=st.data())
    @settings(
        max_examples=25,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    def test_ends_the_same_in_whichever_order_events_arrive(
        self, world: World, data: st.DataObject
    ) -> None:
        with transaction.atomic():
            bodies = data.draw(st.lists(happenings(world), min_size=2, max_size=7))
            for second, body in enumerate(bodies):
                body["occurred_at"] = at(second)
            shuffled = data.draw(st.permutations(range(len(bodies))))
            cuts = data.draw(st.sets(st.integers(1, len(bodies) - 1)))

            record(world, "told", [bodies[n] for n in range(len(bodies))], set())
            record(world, "shuffled", [bodies[n] for n in shuffled], cuts)

            told, mixed = (Call.objects.get(external_id=name) for name in ("told", "shuffled"))
            assert comparable(mixed) == comparable(told)
            assert [len(told.events.all()), len(mixed.events.all())] == [len(bodies)] * 2
            transaction.set_rollback(True)


class TestACallThatGrows:
    """It may hold one event of the largest size, and half as much again; not two."""

    HALF = "x" * 250_000

    def report(self, world: World, *bodies: dict[str, Any]) -> Receipt:
        return accept_events(access=access_of_key(world.key), bodies=bodies)

    def test_refuses_only_the_event_that_is_too_much(self, world: World) -> None:
        receipt = self.report(
            world,
            event(world, id="e1", custom={"a": self.HALF}),
            event(world, id="e2", custom={"b": self.HALF}, type="call.ended"),
            event(world, id="e3", call_id="other"),
            event(world, id="e4", type="call.ended", status="answered"),
        )

        assert [index for index, _ in receipt.accepted] == [0, 2, 3]
        [rejected] = receipt.rejected
        assert (rejected.index, rejected.pointer, rejected.code) == (1, "", "too_large")
        assert receipt.accepted[2][1].is_end
        assert set(CallEvent.objects.values_list("external_id", flat=True)) == {"e1", "e3", "e4"}

    def test_is_left_as_it_was_by_an_event_that_is_refused(self, world: World) -> None:
        take(world, event(world, custom={"a": self.HALF}, occurred_at=at(5), type="call.updated"))
        before = Call.objects.values().get()
        number = world.menu_number.number

        for second in (0, 9):
            told = {"custom": {"b": self.HALF}, "option": "1", "occurred_at": at(second)}
            receipt = self.report(world, event(world, tracking_number=number, **told))
            assert not receipt.accepted

        assert Call.objects.values().get() == before
        assert CallEvent.objects.count() == 1

    def test_counts_no_refused_event_in_what_comes_late(self, world: World) -> None:
        self.report(
            world,
            event(world, custom={"a": self.HALF}, occurred_at=at(5)),
            event(world, custom={"b": self.HALF}, occurred_at=at(6)),
            event(world, type="call.ringing", occurred_at=at(1)),
        )

        assert Call.objects.get().snapshot["custom"] == {"a": self.HALF}

    def test_is_not_made_for_an_event_that_is_refused(self, world: World) -> None:
        world.campaign.tags = {"long": "x" * MAX_BYTES}
        world.campaign.save(update_fields=["tags"])

        assert not self.report(world, event(world)).accepted
        assert not Call.objects.exists()

    def test_stays_within_its_limit_however_much_is_told(self, world: World) -> None:
        bodies = [event(world, custom={f"n{n}": "x" * 20_000}) for n in range(40)]
        receipt = self.report(world, *bodies)

        assert receipt.accepted
        assert receipt.rejected
        assert all(size_of(each.snapshot) <= MAX_BYTES for each in CallEvent.objects.all())
        assert size_of(Call.objects.get().snapshot) <= MAX_BYTES


def happenings(world: World) -> st.SearchStrategy[dict[str, Any]]:
    """Events of one call: any type, with any part of what can be said."""
    said = {
        "status": st.sampled_from(["answered", "busy", "voicemail"]),
        "target": st.sampled_from(["+15550000001", "+15550000002"]),
        "option": st.sampled_from(["1", "Sales", "2", "nine"]),
        "talk_s": st.integers(0, 5),
        "caller": st.dictionaries(st.sampled_from("abc"), st.integers(0, 3) | st.none()),
        "tags": st.dictionaries(st.sampled_from("abc"), st.integers(0, 3)),
        "surprise": st.integers(0, 3),
    }
    kinds = st.sampled_from(sorted(EventType.values))
    return st.fixed_dictionaries(
        {"type": kinds, "tracking_number": st.just(world.menu_number.number)}, optional=said
    )


def record(world: World, call_id: str, bodies: Sequence[dict[str, Any]], cuts: set[int]) -> None:
    """Take a call's events in, in this order, cut into several batches."""
    edges = [0, *sorted(cuts), len(bodies)]
    for start, end in itertools.pairwise(edges):
        named = [event(None, **{**body, "call_id": call_id}) for body in bodies[start:end]]
        take(world, *named)


def comparable(call: Call) -> dict[str, Any]:
    """What must not depend on the order of arrival."""
    call.snapshot.pop("call_id")
    # The second of the two calls of the test is a repeat.
    call.snapshot.pop("repeat_caller")
    return {
        "snapshot": call.snapshot,
        "status": call.status,
        "talk_s": call.talk_s,
        "duration_s": call.duration_s,
        "treatments": call.treatment_keys,
        "options": sorted(call.option_keys),
        "is_begun": call.is_begun,
        "is_ended": call.is_ended,
        "last": call.last_occurred_at,
    }


class TestTheQueries:
    def queries(self, world: World, bodies: list[dict[str, Any]]) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            take(world, *bodies)
        return len(captured)

    def test_of_new_calls_are_as_many_for_one_as_for_a_hundred(self, world: World) -> None:
        attach(make_webhook(world, "http://127.0.0.1/"))
        one = self.queries(world, [event(world, call_id="one")])
        hundred = self.queries(world, [event(world, call_id=f"c{n}") for n in range(100)])

        # One of them bounds how long a locked table is waited for, and two look for what is gone
        # before the transaction ends around them.
        assert hundred == one <= 14

    @pytest.mark.parametrize(
        "news",
        [
            {"type": "call.ended", "occurred_at": at(300)},
            {"type": "call.ringing", "occurred_at": at(1)},
            {"type": "call.option_reached", "option": "Sales", "treatment": "Menu"},
        ],
        ids=["later", "late", "elsewhere"],
    )
    def test_of_known_calls_are_as_many_for_one_as_for_a_hundred(
        self, world: World, news: dict[str, Any]
    ) -> None:
        names = [f"c{number}" for number in range(101)]
        take(world, *(event(world, call_id=name, occurred_at=at(100)) for name in names))
        one = self.queries(world, [event(world, call_id=names[0], **news)])
        hundred = self.queries(world, [event(world, call_id=name, **news) for name in names[1:]])

        assert hundred == one <= 25
