"""Retry schedules as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.webhooks.schedules import (
    MAX_RETRIES,
    MAX_SCHEDULE_S,
    PRESETS,
    InvalidSchedule,
    check_schedule,
    parse_waits,
    waits_in_words,
)


class TestWaits:
    def test_are_read_with_their_units(self) -> None:
        assert parse_waits("5s, 2m 1h;1d , 10min") == (5, 120, 3600, 86_400, 600)

    @pytest.mark.parametrize("text", ["", "5", "5 s", "1w", "-5s", "5s,,", "0s", "9d", "1s " * 31])
    def test_are_refused_with_a_reason(self, text: str) -> None:
        with pytest.raises(InvalidSchedule):
            parse_waits(text)

    @given(st.lists(st.integers(1, MAX_SCHEDULE_S // MAX_RETRIES), min_size=1, max_size=30))
    def test_survive_being_shown(self, waits_s: list[int]) -> None:
        assert parse_waits(waits_in_words(waits_s)) == tuple(waits_s)

    @pytest.mark.parametrize("preset", PRESETS)
    def test_of_presets_are_allowed(self, preset: str) -> None:
        assert check_schedule(PRESETS[preset]) == PRESETS[preset]
