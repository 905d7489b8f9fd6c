"""Conditions: which calls they hold of, read from any plain form, and told in words."""

import contextlib
import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.campaigns.condition_rows import Row, condition_of, rows_of, seconds_of
from apps.campaigns.conditions import (
    ALWAYS,
    FIELDS,
    MAX_DEPTH,
    MAX_RULES,
    CallFacts,
    Condition,
    Group,
    InvalidCondition,
    Op,
    Rule,
    ValueKind,
    condition_from,
    facts_of,
    first_failing,
    has_come,
    holds,
    rules_of,
    to_plain,
)
from apps.campaigns.conditions_in_words import in_words, why_not

_TEXT = st.text("abcä 12,=", min_size=1, max_size=6).map(str.strip).filter(bool)
_AREA = st.from_regex(r"\+?[0-9]{1,4}", fullmatch=True)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    known = FIELDS[draw(st.sampled_from(sorted(FIELDS)))]
    values: dict[ValueKind, st.SearchStrategy[Any]] = {
        ValueKind.SECONDS: st.integers(0, 400),
        ValueKind.FLAG: st.booleans(),
        ValueKind.TEXTS: st.lists(_TEXT, min_size=1, max_size=3).map(tuple),
        ValueKind.AREAS: st.lists(_AREA, min_size=1, max_size=3).map(tuple),
    }
    name = draw(_TEXT) if known.has_name else ""
    return Rule(known.name, draw(st.sampled_from(known.ops)), draw(values[known.kind]), name)


def groups(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    of = st.lists(parts, min_size=1, max_size=3).map(tuple)
    return st.builds(Group, st.booleans(), of)


CONDITIONS: st.SearchStrategy[Condition] = st.recursive(rules(), groups, max_leaves=6).filter(
    lambda condition: _depth(condition) <= MAX_DEPTH
)
FACTS = st.builds(
    CallFacts,
    duration_s=st.none() | st.integers(0, 400),
    talk_s=st.none() | st.integers(0, 400),
    answered=st.none() | st.booleans(),
    repeat_caller=st.booleans(),
    business_hours=st.none() | st.booleans(),
    tags=st.dictionaries(_TEXT, _TEXT, max_size=2),
    campaign=st.just("") | _TEXT,
    caller=st.sampled_from(["", "anonymous", "+12125550100", "+493012345678"]),
    source=st.just("") | _TEXT,
)


def _depth(condition: Condition) -> int:
    if isinstance(condition, Rule):
        return 1
    return 1 + max(map(_depth, condition.of))


class TestACondition:
    @given(CONDITIONS, FACTS)
    def test_holds_or_tells_why_not(self, condition: Condition, facts: CallFacts) -> None:
        assert bool(why_not(condition, facts)) is not holds(condition, facts)
        assert (first_failing(condition, facts) is None) is holds(condition, facts)

    @given(CONDITIONS)
    def test_survives_its_plain_form(self, condition: Condition) -> None:
        assert condition_from(to_plain(condition)) == condition

    @given(CONDITIONS, FACTS)
    def test_means_the_same_as_its_rows(self, condition: Condition, facts: CallFacts) -> None:
        rows = rows_of(condition)
        if rows is not None:
            assert holds(condition_of(rows), facts) is holds(condition, facts)

    @pytest.mark.parametrize(
        ("name", "text", "has_rows"),
        [
            ("Region", "south", True),
            ("Region", "a = b", True),
            ("Region", "Sales, East", False),
            ("Region", ",", False),
            ("a=b", "south", False),
        ],
    )
    def test_has_no_rows_that_would_say_something_else(
        self, name: str, text: str, has_rows: bool
    ) -> None:
        rule = Rule("tag", Op.IS, (text, "north"), name)
        rows = rows_of(rule)
        assert (rows is not None) is has_rows
        assert rows is None or condition_of(rows) == Group(of=(rule,))

    @given(st.lists(CONDITIONS, min_size=1, max_size=3), FACTS)
    def test_of_a_group_is_all_or_any(self, parts: list[Condition], facts: CallFacts) -> None:
        each = [holds(part, facts) for part in parts]
        assert holds(Group(False, tuple(parts)), facts) is all(each)
        assert holds(Group(True, tuple(parts)), facts) is any(each)

    @given(CONDITIONS)
    def test_can_be_said_in_words(self, condition: Condition) -> None:
        assert in_words(condition).startswith("Only ")

    @given(FACTS)
    def test_without_parts_holds_of_every_call(self, facts: CallFacts) -> None:
        assert holds(ALWAYS, facts)
        assert in_words(ALWAYS) == "All calls"
        assert condition_from({}) == ALWAYS


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["all", "any", "field", "op", "value", "name", "x"]), inner
        )
    ),
    max_leaves=12,
)


class TestThePlainForm:
    @given(_JSON)
    def test_is_read_or_refused(self, plain: Any) -> None:
        with contextlib.suppress(InvalidCondition):
            condition = condition_from(plain)
            assert condition_from(to_plain(condition)) == condition

    @pytest.mark.parametrize(
        ("plain", "fault"),
        [
            ([], "object"),
            ({"all": []}, "at least one"),
            ({"all": [{}]}, "one key"),
            ({"all": [], "any": []}, "one key"),
            ({"field": "mood", "op": "is", "value": 1}, "mood"),
            ({"field": "talk_s", "op": "is", "value": 1}, "at_least"),
            ({"field": "talk_s", "op": "at_least", "value": -1}, "seconds"),
            ({"field": "talk_s", "op": "at_least", "value": True}, "seconds"),
            ({"field": "answered", "op": "is", "value": "yes"}, "true or false"),
            ({"field": "tag", "op": "is", "value": ["south"]}, "name"),
            ({"field": "tag", "name": "x" * 121, "op": "is", "value": ["south"]}, "120"),
            ({"field": "campaign", "op": "is", "value": "Spring"}, "list"),
            ({"field": "campaign", "op": "is", "value": ["x"] * 51}, "list"),
            ({"field": "campaign", "op": "is", "value": ["x"], "more": 1}, "more"),
            ({"field": "area_code", "op": "is", "value": ["21x"]}, "digits"),
            ({"all": [{"field": "answered", "op": "is", "value": True}] * 31}, str(MAX_RULES)),
        ],
    )
    def test_says_what_is_wrong(self, plain: Any, fault: str) -> None:
        with pytest.raises(InvalidCondition, match=fault):
            condition_from(plain)

    def test_has_bounds(self) -> None:
        rule = {"field": "answered", "op": "is", "value": True}
        deep: dict[str, Any] = rule
        for _ in range(MAX_DEPTH):
            deep = {"all": [deep]}
        with pytest.raises(InvalidCondition, match="levels"):
            condition_from(deep)
        wide = {"all": [{"any": [rule] * 20}, {"any": [rule] * 20}]}
        with pytest.raises(InvalidCondition, match=str(MAX_RULES)):
            condition_from(wide)


class TestWords:
    @pytest.mark.parametrize(
        ("plain", "words"),
        [
            (
                {
                    "all": [
                        {"field": "answered", "op": "is", "value": True},
                        {"field": "duration_s", "op": "at_least", "value": 60},
                        {"field": "business_hours", "op": "is", "value": True},
                    ]
                },
                "Only answered calls of at least 1 min, in business hours",
            ),
            (
                {
                    "any": [
                        {"field": "repeat_caller", "op": "is", "value": False},
                        {"field": "tag", "name": "Region", "op": "is", "value": ["south"]},
                    ]
                },
                "Only calls of first-time callers, or calls tagged Region = south",
            ),
            (
                {"field": "area_code", "op": "is_not", "value": ["212", "+49"]},
                "Only calls not from the area code 212 or +49",
            ),
        ],
    )
    def test_are_plain(self, plain: Any, words: str) -> None:
        assert in_words(condition_from(plain)) == words

    def test_say_what_was_and_what_is_wanted(self) -> None:
        condition = condition_from({"field": "talk_s", "op": "at_least", "value": 90})
        assert why_not(condition, CallFacts(talk_s=12)) == (
            "The talk lasted 12 s; at least 1 min 30 s is wanted."
        )


class TestFacts:
    now = dt.datetime(2026, 3, 28, 0, 5, tzinfo=dt.UTC)

    def test_are_those_of_the_call_as_it_was(self) -> None:
        snapshot = {
            "status": "answered",
            "talk_s": 29,
            "duration_s": 36,
            "repeat_caller": True,
            "from": "+12125550100",
            "tags": {"Region": "South"},
            "campaign": {"name": "Spring"},
            "visitor": {"utm_source": "Google"},
            # 20:05 on Friday there.
            "location": {"time_zone": "America/New_York"},
            "started_at": "2026-03-28T00:05:00.000Z",
        }
        facts = facts_of(snapshot, occurred_at=self.now, hours={"fri": [[1200, 1210]]})
        assert facts == CallFacts(
            36, 29, True, True, True, {"region": "south"}, "spring", "+12125550100", "google"
        )

    @given(
        st.dictionaries(st.sampled_from(["tags", "visitor", "talk_s", "from", "started_at"]), _JSON)
    )
    def test_are_taken_from_anything(self, snapshot: dict[str, Any]) -> None:
        facts = facts_of(snapshot, occurred_at=self.now, hours={})
        assert facts.business_hours is None

    @pytest.mark.parametrize(
        ("wait", "call", "come"),
        [
            ("recording", {"recording": {"url": "https://a.example/1.mp3"}}, True),
            ("recording", {"recording": {"duration_s": 3}}, False),
            ("recording", {"recording": None}, False),
            ("transcript", {"transcript": "Hello."}, True),
            ("transcript", {}, False),
        ],
    )
    def test_tell_what_has_come(self, wait: str, call: dict[str, Any], come: bool) -> None:
        assert has_come(wait, call) is come


class TestRows:
    def test_bind_and_tighter_than_or(self) -> None:
        condition = condition_of(
            [
                Row(False, "answered", ""),
                Row(False, "talk_min", "1 min"),
                Row(True, "tag", "Region = south, north"),
                Row(False, "", ""),
            ]
        )
        assert in_words(condition) == (
            "Only answered calls with at least 1 min of talk,"
            " or calls tagged Region = south or north"
        )
        assert len(rules_of(condition)) == 3

    @pytest.mark.parametrize(
        ("text", "seconds"),
        [("90", 90), ("90 s", 90), ("1 min", 60), ("1min30s", 90), ("1:30", 90), ("1 h", 3600)],
    )
    def test_read_times(self, text: str, seconds: int) -> None:
        assert seconds_of(text) == seconds

    @pytest.mark.parametrize(
        ("row", "fault"),
        [
            (Row(False, "talk_min", ""), "Condition 1: .* no time"),
            (Row(False, "talk_min", "soon"), "soon"),
            (Row(False, "tag", "Region"), "Region = south"),
            (Row(False, "campaign", " , "), "at least one value"),
            (Row(False, "area", "abc"), "digits"),
            (Row(False, "mood", "good"), "from the list"),
        ],
    )
    def test_say_which_is_wrong(self, row: Row, fault: str) -> None:
        with pytest.raises(InvalidCondition, match=fault):
            condition_of([row])

    @given(st.text(max_size=20))
    def test_read_any_text_as_a_time_or_not(self, text: str) -> None:
        with contextlib.suppress(InvalidCondition):
            assert seconds_of(text) >= 0
