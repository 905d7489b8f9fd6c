"""The rules of the breaker."""

import datetime as dt
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from apps.delivery.breaker import (
    FAILING_AFTER,
    FIRST_PROBE_S,
    LAST_PROBE_S,
    RELEASE_PAUSE,
    SLICE,
    WINDOW,
    Health,
    Position,
    Tally,
    after,
    in_window,
)

START = dt.datetime(2026, 3, 28, tzinfo=dt.UTC)
BAD, GOOD, NOTHING = Tally(failures=1, ended_well=False), Tally(successes=1), Tally(undecided=1)
tallies = st.builds(
    Tally,
    successes=st.integers(0, 20),
    failures=st.integers(0, 20),
    undecided=st.integers(0, 3),
    ended_well=st.booleans(),
)


def later(seconds: float) -> dt.datetime:
    return START + dt.timedelta(seconds=seconds)


def opened() -> Health:
    return after(Health(), Tally(failures=10, ended_well=False), START)


def probing(health: Health) -> Health:
    assert health.probe_at is not None
    return replace(health, is_probing=True, probe_at=health.probe_at + dt.timedelta(seconds=90))


class TestTheBreaker:
    def test_opens_at_seven_of_ten(self) -> None:
        six = after(Health(), Tally(successes=4, failures=6), START)
        seven = after(Health(), Tally(successes=3, failures=7), START)
        assert six.position(START) is Position.CLOSED
        assert seven.position(START) is Position.OPEN
        assert seven.probe_at == later(FIRST_PROBE_S)

    def test_needs_ten_tries(self) -> None:
        nine = after(Health(), Tally(failures=9, ended_well=False), START)
        assert nine.position(START) is Position.CLOSED
        assert after(nine, BAD, later(1)).position(later(1)) is Position.OPEN

    def test_forgets_what_is_older_than_the_window(self) -> None:
        nine = after(Health(), Tally(failures=9, ended_well=False), START)
        much_later = START + WINDOW
        assert after(nine, BAD, much_later).position(much_later) is Position.CLOSED

    def test_looks_back_over_five_minutes_at_any_moment(self) -> None:
        health = Health()
        for second in range(0, 240, 30):
            health = after(health, BAD, later(240 + second))
        assert health.position(later(450)) is Position.CLOSED
        again = after(health, Tally(failures=2, ended_well=False), later(455))
        assert again.position(later(455)) is Position.OPEN

    def test_is_not_kept_closed_by_successes_of_long_ago(self) -> None:
        well = after(Health(), Tally(successes=1000), START)
        health = after(well, Tally(failures=10, ended_well=False), START + WINDOW)
        assert health.position(START + WINDOW) is Position.OPEN

    @given(st.lists(st.tuples(tallies, st.floats(0, 400))))
    def test_counts_what_a_look_at_each_try_would(self, steps: list[tuple[Tally, float]]) -> None:
        health, now, ended = Health(), START, []
        for tally, wait_s in steps:
            now += dt.timedelta(seconds=wait_s)
            health = replace(after(health, tally, now), probe_at=None)
            ended.append((now, tally))
        tries, _ = in_window(health.slices, now)

        def since(age: dt.timedelta) -> int:
            return sum(t.successes + t.failures for at, t in ended if now - at < age)

        assert since(WINDOW - SLICE) <= tries <= since(WINDOW)

    def test_is_half_open_when_the_wait_is_over(self) -> None:
        assert opened().position(later(FIRST_PROBE_S - 1)) is Position.OPEN
        assert opened().position(later(FIRST_PROBE_S)) is Position.HALF_OPEN

    def test_doubles_the_wait_to_ten_minutes(self) -> None:
        health, waits, now = opened(), [], START
        for _ in range(7):
            assert health.probe_at is not None
            waits.append((health.probe_at - now).total_seconds())
            now = health.probe_at
            health = after(probing(health), BAD, now)
        assert waits == [30, 60, 120, 240, 480, LAST_PROBE_S, LAST_PROBE_S]

    def test_closes_by_the_success_of_its_probe(self) -> None:
        health = after(probing(opened()), GOOD, later(30))
        assert health.position(later(30)) is Position.CLOSED
        assert in_window(health.slices, later(30)) == (0, 0)

    def test_is_not_moved_by_tries_that_had_begun_before(self) -> None:
        for tally in (GOOD, BAD):
            assert after(opened(), tally, later(1)).probe_at == opened().probe_at

    def test_tries_again_soon_when_the_probe_said_nothing(self) -> None:
        health = after(probing(opened()), NOTHING, later(30))
        assert health.probe_at == later(35)
        assert health.probe_wait_s == FIRST_PROBE_S

    @given(st.lists(st.tuples(tallies, st.floats(0, 400))))
    def test_is_never_open_for_longer_than_its_longest_wait(
        self, steps: list[tuple[Tally, float]]
    ) -> None:
        health, now = Health(), START
        for tally, wait_s in steps:
            now += dt.timedelta(seconds=wait_s)
            if health.position(now) is Position.HALF_OPEN:
                health = probing(health)
            health = after(health, tally, now)
            if health.probe_at is not None and not health.is_probing:
                assert health.probe_at - now <= dt.timedelta(seconds=LAST_PROBE_S)
            tries, failures = in_window(health.slices, now)
            assert failures <= tries
            assert len(health.slices) <= WINDOW / SLICE
            assert (health.failing_since is None) == (health.failures_in_row == 0)

    @given(st.lists(tallies.filter(lambda tally: tally.failures < 2 * tally.successes)))
    def test_never_opens_while_a_third_succeeds(self, steps: list[Tally]) -> None:
        health = Health()
        for number, tally in enumerate(steps):
            health = after(health, tally, later(number))
            assert health.position(later(number)) is Position.CLOSED


class TestARelease:
    FAILING = Tally(failures=FAILING_AFTER, ended_well=False)

    def test_follows_the_first_success_after_failures_in_a_row(self) -> None:
        health = after(after(Health(), self.FAILING, START), GOOD, later(9))
        assert health.release_at == later(9)
        assert health.failing_since is None

    def test_does_not_follow_a_single_failure(self) -> None:
        assert after(after(Health(), BAD, START), GOOD, later(1)).release_at is None

    def test_follows_the_probe_and_nothing_before_it(self) -> None:
        assert after(opened(), GOOD, later(1)).release_at is None
        assert after(probing(opened()), GOOD, later(30)).release_at == later(30)

    def test_is_put_off_when_another_was_before(self) -> None:
        released = replace(Health(), released_at=START)
        again = after(released, self.FAILING, later(60))
        assert after(again, GOOD, later(61)).release_at == START + RELEASE_PAUSE
        much_later = START + RELEASE_PAUSE + dt.timedelta(seconds=1)
        assert after(again, GOOD, much_later).release_at == much_later

    def test_that_was_put_off_does_not_come_while_it_fails_again(self) -> None:
        put_off = replace(Health(), release_at=later(600), released_at=START)
        assert after(put_off, GOOD, later(60)).release_at == later(600)
        assert after(put_off, BAD, later(60)).release_at == later(600)
        assert after(put_off, self.FAILING, later(60)).release_at is None

    def test_that_has_begun_goes_on(self) -> None:
        begun = replace(Health(), release_at=START)
        assert after(begun, self.FAILING, later(1)).release_at == START
        assert after(begun, GOOD, later(1)).release_at == START
