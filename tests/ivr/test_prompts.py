"""Parameters in prompts, and data that passes through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.ivr.pass_through import pairs_of
from apps.ivr.prompts import resolved

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,10}", fullmatch=True)
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="|"), min_size=1, max_size=20)


class TestPrompts:
    @pytest.mark.parametrize(
        ("prompt", "said"),
        [
            ("Hello @firstName @lastName.", "Hello Bill Johnson."),
            ("@firstName,@lastName", "Bill,Johnson"),
            ("@greeting.wav", "hi.wav"),
            ("Mail help@firstName.com", "Mail help@firstName.com"),
            ("Hello @nobody!", "Hello !"),
            ("At 5 @ 6, @1", "At 5 @ 6, @1"),
            ("@firstNames", ""),
            ("@trick", "@firstName"),
        ],
    )
    def test_have_each_name_replaced_once(self, prompt: str, said: str) -> None:
        given = {"firstName": "Bill", "lastName": "Johnson", "greeting": "hi"}
        assert resolved(prompt, {**given, "trick": "@firstName"}) == said

    @given(st.dictionaries(NAMES, st.text(max_size=20), min_size=1, max_size=5))
    def test_say_every_value(self, given: dict[str, str]) -> None:
        prompt = " ".join(f"@{name}" for name in given)
        assert resolved(prompt, given) == " ".join(given.values())

    @given(st.text(st.characters(exclude_characters="@"), max_size=200))
    def test_without_parameters_stay_as_they_are(self, prompt: str) -> None:
        assert resolved(prompt, {"a": "b"}) == prompt


class TestPassThrough:
    def test_is_taken_apart_for_people(self) -> None:
        assert pairs_of("user_id|12345||step|call_user") == [
            ("user_id", "12345"),
            ("step", "call_user"),
        ]
        assert pairs_of("") == []
        assert pairs_of("mypassthrough data") == [("mypassthrough data", "")]

    @given(st.lists(st.tuples(WORDS, WORDS), max_size=6))
    def test_has_every_pair_in_its_order(self, pairs: list[tuple[str, str]]) -> None:
        assert pairs_of("||".join(f"{key}|{value}" for key, value in pairs)) == pairs
