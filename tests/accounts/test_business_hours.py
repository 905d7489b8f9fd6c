"""Business hours: written as people do, asked in the location's time zone."""

import contextlib
import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.accounts.business_hours import (
    DAYS,
    InvalidHours,
    check_hours,
    day_in_words,
    is_open,
    parse_day,
)

OFFICE = {day: [[540, 720], [780, 1020]] for day in DAYS[:5]}


class TestADay:
    @pytest.mark.parametrize(
        ("text", "spans"),
        [
            ("", []),
            ("9-17", [[540, 1020]]),
            ("9:00-12:00, 13:00-17:30", [[540, 720], [780, 1050]]),
            ("13:00 to 17:00; 9:00\u201312:00", [[540, 720], [780, 1020]]),
            ("0:00-24:00", [[0, 1440]]),
        ],
    )
    def test_is_read(self, text: str, spans: list[list[int]]) -> None:
        assert parse_day(text) == spans
        assert parse_day(day_in_words(spans)) == spans

    @pytest.mark.parametrize(
        "text", ["nine", "17-9", "9:75-17:00", "9-25", "9-12, 11-13", "9", ",".join(["1-2"] * 9)]
    )
    def test_that_makes_no_sense_is_refused(self, text: str) -> None:
        with pytest.raises(InvalidHours):
            parse_day(text)

    @given(st.text(max_size=20))
    def test_is_read_or_refused(self, text: str) -> None:
        with contextlib.suppress(InvalidHours):
            check_hours({"mon": parse_day(text)})


class TestOpen:
    @pytest.mark.parametrize(
        ("moment", "zone", "opened"),
        [
            ("2026-03-27T13:00:00Z", "America/New_York", True),
            ("2026-03-27T12:59:59Z", "America/New_York", False),
            ("2026-03-27T16:30:00Z", "America/New_York", False),
            ("2026-03-27T17:00:00Z", "America/New_York", True),
            ("2026-03-27T21:00:00Z", "America/New_York", False),
            # Saturday there already, Friday in New York.
            ("2026-03-27T17:00:00Z", "Pacific/Kiritimati", False),
            # The Friday before the clocks change is an hour later in UTC than the one after.
            ("2026-03-27T08:00:00Z", "Europe/Berlin", True),
            ("2026-04-03T07:00:00Z", "Europe/Berlin", True),
        ],
    )
    def test_is_asked_in_the_time_zone(self, moment: str, zone: str, opened: bool) -> None:
        assert is_open(OFFICE, dt.datetime.fromisoformat(moment), zone) is opened

    def test_is_not_known_without_hours(self) -> None:
        assert is_open({}, dt.datetime.now(dt.UTC), "UTC") is None
        assert is_open({"mon": []}, dt.datetime.now(dt.UTC), "UTC") is None


@pytest.mark.parametrize(
    "hours",
    [
        *(None, [], {"mo": []}, {"mon": 5}, {"mon": [[9]]}, {"mon": [[9, 9]]}),
        *({"mon": [[0, 1441]]}, {"mon": [[540, 720], [600, 780]]}),
    ],
)
def test_other_forms_are_refused(hours: Any) -> None:
    with pytest.raises(InvalidHours):
        check_hours(hours)
