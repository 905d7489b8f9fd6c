"""Reading one event: what is taken, and where and how a fault is told."""

import datetime as dt
import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.intake.events import MAX_DEPTH, MAX_EVENT_BYTES, EventFault, ParsedEvent, parse_event
from tests.builders import event

ABSENT: Any = object()
NAMES = [
    *("id", "type", "call_id", "occurred_at", "sequence", "tracking_number", "location"),
    *("campaign", "treatment", "option", "from", "to", "target", "direction", "session_id"),
    *("repeat_caller", "started_at", "answered_at", "ended_at", "duration_s", "talk_s"),
    *("recorded_s", "menu_s", "ring_count", "status", "recording", "transcript", "responses"),
    *("survey", "tags", "caller", "visitor", "vehicle", "custom", "surprise"),
]

FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"id": ABSENT}, "/id", "required"),
    ({"id": None}, "/id", "not_text"),
    ({"id": "  "}, "/id", "required"),
    ({"id": "x" * 129}, "/id", "too_long"),
    ({"id": True}, "/id", "not_text"),
    ({"id": 1.5}, "/id", "not_text"),
    ({"call_id": ""}, "/call_id", "required"),
    ({"type": "call.exploded"}, "/type", "unknown_type"),
    ({"type": ["call.started"]}, "/type", "unknown_type"),
    ({"occurred_at": ABSENT}, "/occurred_at", "required"),
    ({"occurred_at": "2026-03-28T00:05:00"}, "/occurred_at", "invalid_time"),
    ({"occurred_at": "yesterday"}, "/occurred_at", "invalid_time"),
    ({"occurred_at": 1774656300}, "/occurred_at", "invalid_time"),
    ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "/occurred_at", "invalid_time"),
    ({"occurred_at": "9999-12-31T23:59:59-12:00"}, "/occurred_at", "invalid_time"),
    ({"started_at": "0001-01-02T00:00:00Z"}, "/started_at", "invalid_time"),
    ({"ended_at": "9999-12-01T00:00:00Z"}, "/ended_at", "invalid_time"),
    ({"sequence": -1}, "/sequence", "invalid_number"),
    ({"sequence": 2**63}, "/sequence", "invalid_number"),
    ({"sequence": True}, "/sequence", "invalid_number"),
    ({"tracking_number": "555-1234"}, "/tracking_number", "invalid_number"),
    (
        {"tracking_number": "+1\u0662\u0663\u0664\u0665\u0666\u0667\u0668"},
        "/tracking_number",
        "invalid_number",
    ),
    ({"tracking_number": "+15551234567\n"}, "/tracking_number", "invalid_number"),
    ({"from": "5551234567"}, "/from", "invalid_number"),
    ({"direction": "sideways"}, "/direction", "unknown_direction"),
    ({"duration_s": -1}, "/duration_s", "invalid_number"),
    ({"duration_s": 2**31}, "/duration_s", "invalid_number"),
    ({"duration_s": 1e300}, "/duration_s", "invalid_number"),
    ({"talk_s": "30"}, "/talk_s", "invalid_number"),
    ({"repeat_caller": "yes"}, "/repeat_caller", "not_a_flag"),
    ({"status": "happy"}, "/status", "unknown_status"),
    ({"recording": "https://x.example/1.mp3"}, "/recording", "not_an_object"),
    ({"recording": {"duration_s": "long"}}, "/recording/duration_s", "invalid_number"),
    ({"responses": {}}, "/responses", "not_a_list"),
    ({"responses": [{}, 7]}, "/responses/1", "not_an_object"),
    ({"caller": ["Ada"]}, "/caller", "not_an_object"),
    ({"number_type": "pooled"}, "/number_type", "unknown_number_type"),
    ({"actions": "Find Me"}, "/actions", "not_a_list"),
    ({"actions": ["Find Me", " "]}, "/actions/1", "required"),
    ({"keys": ["1"] * 201}, "/keys", "not_a_list"),
    ({"postcodes": [{}]}, "/postcodes/0", "not_text"),
    ({"tag_ids": ["7"]}, "/tag_ids/0", "invalid_number"),
    ({"tag_ids": {}}, "/tag_ids", "not_a_list"),
    ({"keyword_lists": [{"keywords": ["car"]}]}, "/keyword_lists/0/keywords/0", "not_an_object"),
    ({"visitor": {"number_shown_at": "noon"}}, "/visitor/number_shown_at", "invalid_time"),
    ({"transcript": "x" * 200_001}, "/transcript", "too_long"),
    ({"caller": {"first_name": "a\0b"}}, "/caller/first_name", "nul_character"),
    ({"caller": {"a/b~c": ["x", "\0"]}}, "/caller/a~1b~0c/1", "nul_character"),
    ({"custom": {"\0": 1}}, "/custom", "nul_character"),
    ({"surprise": "x" * MAX_EVENT_BYTES}, "", "too_large"),
]


def nested(depth: int) -> Any:
    value: Any = "deep"
    for _ in range(depth):
        value = [value]
    return value


def parse(**fields: Any) -> ParsedEvent:
    body = {**event(), **fields}
    return parse_event({name: value for name, value in body.items() if value is not ABSENT})


class TestAnEventAtFault:
    @pytest.mark.parametrize(("fields", "pointer", "code"), FAULTS)
    def test_is_told_by_pointer_and_code(
        self, fields: dict[str, Any], pointer: str, code: str
    ) -> None:
        with pytest.raises(EventFault) as caught:
            parse(**fields)

        assert (caught.value.pointer, caught.value.code) == (pointer, code)
        assert caught.value.message.endswith((".", "7Z (RFC 3339)."))
        assert len(caught.value.message) < 400

    @pytest.mark.parametrize("body", [None, [], "event", 7, True, 1.5])
    def test_may_be_no_object_at_all(self, body: Any) -> None:
        with pytest.raises(EventFault) as caught:
            parse_event(body)
        assert caught.value.code == "not_an_object"

    def test_may_be_nested_too_deep(self) -> None:
        parse(custom={"a": nested(MAX_DEPTH - 2)})
        with pytest.raises(EventFault) as caught:
            parse(custom={"a": nested(MAX_DEPTH)})
        assert caught.value.code == "too_deep"


class TestAnEvent:
    def test_takes_null_for_left_out(self) -> None:
        optional = dict.fromkeys(set(NAMES) - {"id", "type", "call_id", "occurred_at"})

        assert parse(**optional).facts.keys() == {"type", "occurred_at"}

    @pytest.mark.parametrize(
        ("written", "kept"),
        [
            ("2026-03-28T00:05:00Z", "2026-03-28T00:05:00.000Z"),
            ("2026-03-27T17:05:00.2509-07:00", "2026-03-28T00:05:00.250Z"),
            ("2026-03-28T05:35:00+05:30", "2026-03-28T00:05:00.000Z"),
        ],
    )
    def test_keeps_times_in_utc(self, written: str, kept: str) -> None:
        parsed = parse(occurred_at=written, answered_at=written)

        assert parsed.facts["answered_at"] == parsed.facts["occurred_at"] == kept
        assert parsed.occurred_at == dt.datetime.fromisoformat(kept)

    @pytest.mark.parametrize("withheld", ["anonymous", "Restricted", " UNKNOWN ", "private"])
    def test_knows_the_words_for_a_withheld_number(self, withheld: str) -> None:
        assert parse(**{"from": withheld}).facts["from"] == "anonymous"

    def test_keeps_fields_of_other_names_as_custom(self) -> None:
        parsed = parse(score=7, custom={"score": 8, "deep": {"a": [1]}}, options=["x"])

        assert parsed.facts["custom"] == {"score": 8, "deep": {"a": [1]}, "options": ["x"]}

    def test_keeps_the_times_of_the_web_session_in_utc(self) -> None:
        shown = {"number_shown_at": "2026-03-27T20:01:12-04:00"}
        assert parse(visitor=shown).facts["visitor"] == {
            "number_shown_at": "2026-03-28T00:01:12.000Z"
        }

    def test_takes_numbers_for_keys(self) -> None:
        assert parse(keys=[1, "90210"]).facts["keys"] == ["1", "90210"]

    def test_keeps_its_place_out_of_its_facts(self) -> None:
        parsed = parse(tracking_number="+15551234567", option=1, treatment="Menu")

        assert (parsed.place.tracking_number, parsed.place.option) == ("+15551234567", "1")
        assert not {"option", "treatment", "tracking_number", "id"} & parsed.facts.keys()

    def test_rounds_seconds(self) -> None:
        assert parse(duration_s=1.6).facts["duration_s"] == 2

    @given(
        st.dictionaries(
            st.sampled_from(NAMES) | st.text(),
            st.recursive(
                st.none()
                | st.booleans()
                | st.integers(-(2**63), 2**64 - 1)
                | st.floats(allow_nan=False, allow_infinity=False)
                | st.text()
                | st.sampled_from(["call.started", "+15551234567", "2026-03-28T00:05:00Z"]),
                lambda inner: (
                    st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
                ),
                max_leaves=8,
            ),
        )
    )
    @settings(max_examples=200, deadline=None)
    def test_is_taken_or_told_its_fault_whatever_it_holds(self, fields: dict[str, Any]) -> None:
        body = orjson.loads(orjson.dumps({**event(), **fields}))
        try:
            parsed = parse_event(body)
        except EventFault as fault:
            resolve(body, fault.pointer)
            return
        json.dumps(parsed.facts, allow_nan=False)
        assert "\\u0000" not in json.dumps(parsed.facts).replace("\\\\", "")


def resolve(body: Any, pointer: str) -> None:
    """Follow a JSON pointer (RFC 6901); a needed field may be missing."""
    *path, _ = ["", *pointer.split("/")[1:]] if pointer else [""]
    for segment in path[1:]:
        key = segment.replace("~1", "/").replace("~0", "~")
        body = body[int(key)] if isinstance(body, list) else body[key]
