"""The simulated calls: the same from the same seed, and as varied as the demo promises."""

import datetime as dt

import pytest

from apps.console.demo import world
from apps.console.demo.calls import Call, simulate
from apps.console.demo.expected import Expected, expected_of

BEGIN = dt.datetime(2026, 3, 28, 0, 5, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def calls() -> list[Call]:
    return simulate(count=200, seed=1, begin=BEGIN)


def expected(calls: list[Call]) -> list[Expected]:
    return [each for call in calls for each in expected_of(call)]


def pressed(call: Call) -> list[str]:
    return [event.tells["option"] for event in call.arrivals if "option" in event.tells]


class TestSimulate:
    def test_makes_the_same_calls_from_the_same_seed(self, calls: list[Call]) -> None:
        again = simulate(count=200, seed=1, begin=BEGIN)
        assert [call.posts for call in again] == [call.posts for call in calls]
        assert expected(again) == expected(calls)

    def test_makes_others_from_another_seed(self, calls: list[Call]) -> None:
        others = simulate(count=200, seed=2, begin=BEGIN)
        assert [call.posts for call in others] != [call.posts for call in calls]

    def test_gives_each_event_an_id_of_its_own(self, calls: list[Call]) -> None:
        ids = [event.body["id"] for call in calls for event in call.arrivals]
        assert len(ids) == len(set(ids))

    def test_posts_every_event(self, calls: list[Call]) -> None:
        for call in calls:
            posted = {body["id"] for post in call.posts for body in post}
            assert posted == {event.body["id"] for event in call.arrivals}

    def test_has_every_kind_of_call(self, calls: list[Call]) -> None:
        outcomes = {event.tells.get("status") for call in calls for event in call.arrivals}
        assert outcomes >= {"answered", "no_answer", "busy", "voicemail", "ivr"}
        assert {key for call in calls for key in pressed(call)} == set(world.OPTIONS)
        assert any(call.place.has_menu and not pressed(call) for call in calls)
        kinds = {bool(call.campaign.domain) for call in calls if call.campaign}
        assert kinds == {True, False}
        assert any(call.campaign is None for call in calls)

    def test_repeats_events_batches_them_and_mixes_their_order(self, calls: list[Call]) -> None:
        posts = [post for call in calls for post in call.posts]
        assert any(len(post) > 1 for post in posts)
        ids = [body["id"] for post in posts for body in post]
        assert len(ids) > len(set(ids))
        moments = [[event.at for event in call.arrivals] for call in calls]
        assert any(order != sorted(order) for order in moments)

    def test_uses_names_that_break_careless_payloads(self, calls: list[Call]) -> None:
        names = "".join(
            event.tells.get("caller.first_name", "") + event.tells.get("caller.last_name", "")
            for call in calls
            for event in call.arrivals
        )
        for trouble in ('"', "'", "&", "<", "\n", "\r", "\\", "%ani%", "]]>", "🎉"):
            assert trouble in names


class TestExpectedOf:
    def test_covers_every_webhook_of_the_demo(self, calls: list[Call]) -> None:
        hooks = {hook.path for client in world.CLIENTS for hook in client.hooks if not hook.is_off}
        assert {each.path for each in expected(calls)} == hooks

    def test_tells_the_sales_floor_of_those_who_pressed_sales_only(self, calls: list[Call]) -> None:
        told = {each.call_id for each in expected(calls) if each.path == world.SCREEN_POP_PATH}
        assert told == {call.id for call in calls if "1" in pressed(call)}

    def test_ends_each_call_once(self, calls: list[Call]) -> None:
        ends = [each.call_id for each in expected(calls) if each.path == world.CALL_LOG_PATH]
        assert len(ends) == len(set(ends))
        assert set(ends) == {call.id for call in calls if call.client.name == world.ELM_STREET}

    def test_shows_a_late_begin_as_it_was_at_the_begin(self, calls: list[Call]) -> None:
        begins = [
            next(each for each in expected_of(call) if each.path == world.DISPATCH_PATH)
            for call in calls
            if call.client.name == world.HEATING and call.arrivals[0].kind == "call.started"
        ]
        assert begins
        assert all(each.payload["/job/ended"] == "" for each in begins)
