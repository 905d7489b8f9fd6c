"""The fold: a call after its events, whatever they leave out and in whichever order they come."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.calls.events import CallStatus, EventType
from apps.calls.snapshots import apply, fold

DAY = "2026-03-28T00:"


def at(minute: int, kind: str, **said: Any) -> dict[str, Any]:
    return {"type": kind, "occurred_at": f"{DAY}{minute:02}:00.000Z", **said}


STARTED = at(0, "call.started", **{"from": "+15550001111"})
RINGING = at(2, "call.ringing")
ANSWERED = at(1, "call.answered")
ENDED = at(3, "call.ended")
SALES = {"key": "1", "label": "Sales", "destination": None}


class TestACall:
    def test_takes_its_moments_from_its_events(self) -> None:
        call = fold({"call_id": "c1"}, [STARTED, ANSWERED, ENDED])

        assert call == {
            "call_id": "c1",
            "from": "+15550001111",
            "started_at": f"{DAY}00:00.000Z",
            "answered_at": f"{DAY}01:00.000Z",
            "ended_at": f"{DAY}03:00.000Z",
            "status": "answered",
            "duration_s": 180,
            "talk_s": 120,
        }

    def test_believes_what_the_platform_says(self) -> None:
        said = {"status": "voicemail", "duration_s": 100, "started_at": f"{DAY}00:30.000Z"}
        call = fold({}, [STARTED, {**ENDED, **said}])

        assert {name: call[name] for name in said} == said

    def test_began_as_long_before_its_end_as_it_lasted(self) -> None:
        call = fold({}, [{**ENDED, "duration_s": 161}])
        assert call["started_at"] == f"{DAY}00:19.000Z"
        late = at(9, "call.updated", started_at=f"{DAY}00:18.000Z")
        assert fold({}, [{**ENDED, "duration_s": 161}, late])["started_at"] == f"{DAY}00:18.000Z"
        long = {**ENDED, "ended_at": "0001-01-01T00:00:00.000Z", "duration_s": 9}
        assert fold({}, [long])["started_at"] is None

    @pytest.mark.parametrize(
        ("events", "status"),
        [
            ([STARTED, ENDED], "no_answer"),
            ([ENDED], "no_answer"),
            ([STARTED, at(1, "call.option_reached", option=SALES), ENDED], "ivr"),
            ([STARTED, at(1, "call.option_reached", option=SALES), RINGING, ENDED], "no_answer"),
            ([STARTED, ANSWERED, ENDED], "answered"),
            ([STARTED, {**ENDED, "answered_at": f"{DAY}02:00.000Z"}], "answered"),
            ([STARTED, at(1, "call.updated", status="busy"), ENDED], "busy"),
            ([STARTED, at(1, "call.leg_ended", status="busy"), ENDED], "busy"),
            ([STARTED, at(0, "call.leg_ended", status="busy"), ANSWERED, ENDED], "answered"),
            ([STARTED, ANSWERED, at(2, "call.leg_ended", status="no_answer"), ENDED], "answered"),
            ([STARTED, ANSWERED, {**ENDED, "status": "failed"}], "failed"),
            ([STARTED, ANSWERED], "answered"),
            ([STARTED], None),
        ],
    )
    def test_gets_the_status_that_its_events_mean(
        self, events: list[dict[str, Any]], status: str | None
    ) -> None:
        assert fold({}, events).get("status") == status

    @pytest.mark.parametrize("status", [status for status in CallStatus if status != "answered"])
    def test_that_nobody_answered_has_no_talk_time(self, status: str) -> None:
        assert fold({}, [STARTED, {**ENDED, "status": status, "talk_s": 30}])["talk_s"] == 0
        late = at(9, "call.updated", talk_s=30)
        assert fold({}, [STARTED, {**ENDED, "status": status}, late])["talk_s"] == 0

    @pytest.mark.parametrize(
        ("events", "seconds"),
        [
            ([STARTED, {**ANSWERED, "option": SALES}, ENDED], 60),
            ([STARTED, at(1, "call.option_reached", option=SALES), ENDED], 180),
            ([STARTED, {**ANSWERED, "option": SALES}, {**ENDED, "menu_s": 7}], 7),
            ([STARTED, ANSWERED, ENDED], None),
        ],
    )
    def test_was_in_the_menu_until_it_was_answered(
        self, events: list[dict[str, Any]], seconds: int | None
    ) -> None:
        assert fold({}, events).get("menu_s") == seconds

    def test_never_lasts_less_than_nothing(self) -> None:
        call = fold({}, [ENDED, at(9, "call.started", started_at=f"{DAY}09:00.000Z")])
        assert call["duration_s"] is None or call["duration_s"] >= 0

        early = {**ENDED, "started_at": f"{DAY}50:00.000Z", "answered_at": f"{DAY}51:00.000Z"}
        call = fold({}, [early])
        assert (call["duration_s"], call["talk_s"]) == (0, 0)

    def test_never_lasts_longer_than_the_database_can_say(self) -> None:
        ages = {"started_at": "0001-01-02T00:00:00.000Z", "ended_at": "9999-01-01T00:00:00.000Z"}
        assert fold({}, [{**ENDED, **ages}])["duration_s"] == 2_147_483_647


class TestAnEvent:
    @given(st.sampled_from([None]), st.sampled_from(sorted(EventType.values)))
    def test_erases_nothing_by_null(self, nothing: None, kind: str) -> None:
        before = fold({"tags": {"a": "1"}}, [STARTED, ANSWERED, ENDED])
        facts = {**dict.fromkeys(before, nothing), "type": kind, "occurred_at": f"{DAY}02:00.000Z"}

        assert apply(before, facts) == before

    def test_erases_nothing_inside_what_is_merged(self) -> None:
        call = fold(
            {"tags": {"Region": "south"}},
            [
                {**STARTED, "caller": {"first_name": "Ada", "city": "Rome"}, "tags": {"a": 1}},
                at(1, "call.updated", caller={"first_name": None, "city": "Bern"}, tags={"a": 2}),
            ],
        )

        assert call["caller"] == {"first_name": "Ada", "city": "Bern"}
        assert call["tags"] == {"Region": "south", "a": 2}

    def test_leaves_what_it_is_given_as_it_was(self) -> None:
        before = fold({}, [STARTED, at(1, "call.option_reached", option=SALES)])
        kept = {**before, "options": list(before["options"])}

        apply(before, at(2, "call.option_reached", option=SALES, caller={"a": 1}))

        assert before == kept

    def test_that_strays_in_after_the_end_only_fills_gaps(self) -> None:
        ended = fold({}, [STARTED, {**ENDED, "caller": {"city": "Rome"}}])
        for stray in ("call.ringing", "call.answered", "call.started"):
            late = at(9, stray, target="+15550002222", caller={"city": "Bern", "zip": "1"})
            call = apply(ended, {**late, "from": "+15559999999", "duration_s": 1})

            assert (call["status"], call["talk_s"], call["duration_s"]) == ("no_answer", 0, 180)
            assert call["from"] == "+15550001111"
            assert call["target"] == "+15550002222"
            assert call["caller"] == {"city": "Rome", "zip": "1"}
            assert "answered_at" not in call

    def test_of_another_leg_ends_the_call_no_second_time(self) -> None:
        call = fold({}, [STARTED, ANSWERED, ENDED, at(5, "call.ended")])

        assert (call["ended_at"], call["duration_s"]) == (f"{DAY}03:00.000Z", 180)

    def test_may_come_long_after_the_end_with_news(self) -> None:
        news = at(50, "recording.ready", recording={"url": "https://x.example/1.mp3"})
        call = fold({}, [STARTED, ANSWERED, ENDED, news])

        assert call["recording"] == {"url": "https://x.example/1.mp3"}
        assert call["status"] == "answered"


class TestAnOption:
    def test_is_noted_each_time_it_is_reached(self) -> None:
        call = fold(
            {},
            [
                at(1, "call.option_reached", option=SALES),
                at(2, "call.option_reached", option={**SALES, "key": "2", "label": "Service"}),
                at(3, "call.option_reached", option=SALES),
            ],
        )

        assert [option["key"] for option in call["options"]] == ["1", "2", "1"]
        assert call["options"][0]["reached_at"] == f"{DAY}01:00.000Z"

    def test_is_not_reached_again_when_later_events_mention_it(self) -> None:
        call = fold(
            {},
            [
                at(1, "call.option_reached", option=SALES),
                at(2, "call.answered", option=SALES),
                {**ENDED, "option": SALES},
            ],
        )

        assert len(call["options"]) == 1
