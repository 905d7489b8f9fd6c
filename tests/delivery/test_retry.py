from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.delivery.outcome import ErrorKind, Outcome, Timings
from apps.delivery.retry import (
    CLIENT_ERROR_RETRIES,
    LOCAL_RETRY_S,
    LOST_TOO_OFTEN,
    MOST_LOST,
    PATIENT_CLIENT_ERRORS,
    RETRY_AFTER_CAP_S,
    SETTINGS_RETRY_S,
    RetryPolicy,
    State,
    Verdict,
    broken_down,
    judge,
    next_delay,
    parse_retry_after,
)
from apps.webhooks.schedules import (
    DEFAULT_SCHEDULE,
    MAX_RETRIES,
    MAX_SCHEDULE_S,
    InvalidSchedule,
    check_schedule,
)

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
POLICY = RetryPolicy()
UNIT = st.floats(0, 1, exclude_max=True)
SCHEDULES = st.lists(st.integers(1, 20_000), max_size=MAX_RETRIES).map(tuple)
OF_OURS = {ErrorKind.LOCAL, ErrorKind.SETTINGS, ErrorKind.RENDER, ErrorKind.LOST}
RETRYABLE = [kind for kind in ErrorKind if kind not in {ErrorKind.HTTP, *OF_OURS}]


def answered(status: int, *, body: bytes = b"", **headers: str) -> Outcome:
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Outcome(status, pairs, body, False, None, "", Timings(1.0))


def failed(kind: ErrorKind, status: int | None = None) -> Outcome:
    return Outcome(status, (), b"", False, kind, "It broke.", Timings(1.0))


def verdict(
    outcome: Outcome, attempt_number: int = 1, policy: RetryPolicy = POLICY, unit: float = 0.5
) -> Verdict:
    return judge(outcome, attempt_number, policy, now=NOW, random=lambda: unit)


def tries_until_the_end(outcome: Outcome, policy: RetryPolicy = POLICY) -> int:
    """How many tries a delivery gets whose every try ends like this."""
    attempt_number = 1
    while verdict(outcome, attempt_number, policy).state is State.RETRY:
        attempt_number += 1
    return attempt_number


class TestDefaultSchedule:
    def test_is_the_one_of_the_specification(self) -> None:
        minutes, hours = 60, 3600
        assert (
            5,
            30,
            2 * minutes,
            10 * minutes,
            30 * minutes,
            1 * hours,
            3 * hours,
            6 * hours,
            12 * hours,
            24 * hours,
            24 * hours,
            24 * hours,
        ) == DEFAULT_SCHEDULE

    def test_takes_about_95_hours(self) -> None:
        assert round(sum(DEFAULT_SCHEDULE) / 3600) == 95

    @pytest.mark.parametrize("kind", RETRYABLE)
    def test_is_exhausted_after_exactly_13_tries(self, kind: ErrorKind) -> None:
        assert tries_until_the_end(failed(kind)) == 13

    def test_is_valid_itself(self) -> None:
        assert check_schedule(DEFAULT_SCHEDULE) == DEFAULT_SCHEDULE


class TestATryThatWasLost:
    def test_follows_in_an_hour_until_there_were_too_many(self) -> None:
        found = [broken_down(count) for count in range(1, MOST_LOST + 1)]
        *before, last = found
        assert {each.state for each in before} == {State.RETRY}
        assert {each.retry_in_s for each in before} == {3600.0}
        assert (last.state, last.reason) == (State.FAILED, LOST_TOO_OFTEN)
        assert {each.error_kind for each in found} == {ErrorKind.LOST}

    def test_too_often_is_no_try_any_more(self) -> None:
        ended = verdict(failed(ErrorKind.LOST))
        assert (ended.state, ended.spends_try) == (State.FAILED, False)


class TestNextDelay:
    @given(SCHEDULES, st.integers(1, 40), UNIT)
    def test_stays_within_ten_percent_of_the_schedule(
        self, schedule: tuple[int, ...], attempts_made: int, unit: float
    ) -> None:
        delay = next_delay(attempts_made, schedule, None, lambda: unit)
        if attempts_made > len(schedule):
            assert delay is None
        else:
            wait = schedule[attempts_made - 1]
            assert delay is not None
            assert wait * 0.9 <= delay <= wait * 1.1

    @given(st.integers(1, 12), UNIT, st.floats(0, 1e9) | st.none())
    def test_is_only_ever_delayed_by_the_receiver(
        self, attempts_made: int, unit: float, retry_after_s: float | None
    ) -> None:
        plain = next_delay(attempts_made, DEFAULT_SCHEDULE, None, lambda: unit)
        asked = next_delay(attempts_made, DEFAULT_SCHEDULE, retry_after_s, lambda: unit)
        assert plain is not None
        assert asked is not None
        assert asked >= plain
        assert asked == plain or asked == min(retry_after_s or 0, RETRY_AFTER_CAP_S)

    @given(st.integers(1, 12), st.floats(0, 1e9), UNIT)
    def test_never_exceeds_the_cap_for_the_receivers_sake(
        self, attempts_made: int, retry_after_s: float, unit: float
    ) -> None:
        delay = next_delay(attempts_made, DEFAULT_SCHEDULE, retry_after_s, lambda: unit)
        assert delay is not None
        assert delay <= max(RETRY_AFTER_CAP_S, DEFAULT_SCHEDULE[attempts_made - 1] * 1.1)

    @given(UNIT, UNIT)
    def test_grows_from_try_to_try_while_the_schedule_does(
        self, first: float, second: float
    ) -> None:
        for attempts_made in range(1, 10):
            earlier = next_delay(attempts_made, DEFAULT_SCHEDULE, None, lambda: first)
            later = next_delay(attempts_made + 1, DEFAULT_SCHEDULE, None, lambda: second)
            assert earlier is not None
            assert later is not None
            assert earlier < later

    @given(st.integers(1, 12))
    def test_reaches_both_ends_of_the_jitter(self, attempts_made: int) -> None:
        wait = DEFAULT_SCHEDULE[attempts_made - 1]
        low = next_delay(attempts_made, DEFAULT_SCHEDULE, None, lambda: 0.0)
        middle = next_delay(attempts_made, DEFAULT_SCHEDULE, None, lambda: 0.5)
        assert low == pytest.approx(wait * 0.9)
        assert middle == pytest.approx(wait)

    def test_ends_at_once_without_a_schedule(self) -> None:
        assert next_delay(1, (), None, lambda: 0.5) is None


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("0", 0),
            ("7", 7),
            (" 120 ", 120),
            ("007", 7),
            ("Sun, 01 Mar 2026 12:01:00 GMT", 60),
            ("Sunday, 01-Mar-26 12:01:00 GMT", 60),
            ("Sun Mar  1 12:01:00 2026", 60),
            ("Sun, 01 Mar 2026 13:01:00 +0100", 60),
            ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
        ],
    )
    def test_reads_seconds_and_dates(self, value: str, seconds: float) -> None:
        assert parse_retry_after(value, NOW) == seconds

    @pytest.mark.parametrize(
        "value",
        [
            None,
            "",
            " ",
            "soon",
            "-5",
            "1.5",
            "1e9",
            "٣",
            "Sun, 99 Mar 2026",
            "5 minutes",
            "\0",
            ",",
        ],
    )
    def test_ignores_garbage(self, value: str | None) -> None:
        assert parse_retry_after(value, NOW) is None

    def test_reads_a_number_of_any_length(self) -> None:
        seconds = parse_retry_after("9" * 100_000, NOW)
        assert seconds is not None
        assert seconds >= RETRY_AFTER_CAP_S

    @given(st.text())
    @example("1 Jan 0001 00:00:00 +2359")
    @example("31 Dec 9999 23:59:59 -2359")
    @example("Mon, 01 Jan 99999999999 00:00:00 GMT")
    def test_never_raises(self, value: str) -> None:
        seconds = parse_retry_after(value, NOW)
        assert seconds is None or seconds >= 0

    @given(st.integers(0, 10**7))
    def test_agrees_about_seconds_and_date(self, seconds: int) -> None:
        date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
        assert parse_retry_after(date, NOW) == parse_retry_after(str(seconds), NOW) == seconds

    @pytest.mark.parametrize("status", [301, 400, 429, 500, 503])
    def test_counts_after_any_failure(self, status: int) -> None:
        assert verdict(answered(status, Retry_After="77")).retry_in_s == 77

    def test_counts_up_to_its_cap(self) -> None:
        assert verdict(answered(503, Retry_After="86400")).retry_in_s == 36_000


class TestSuccess:
    @pytest.mark.parametrize("status", [200, 201, 202, 203, 204])
    def test_is_200_to_204_by_default(self, status: int) -> None:
        result = verdict(answered(status))
        assert (result.state, result.error_kind) == (State.SUCCEEDED, None)
        assert result.retry_in_s is None

    @pytest.mark.parametrize("status", [100, 101, 199, 205, 206, 299, 300, 302, 304, 999])
    def test_is_nothing_else_by_default(self, status: int) -> None:
        assert verdict(answered(status)).state is State.RETRY

    @pytest.mark.parametrize("status", [206, 302, 404, 410, 500])
    def test_is_what_the_webhook_says(self, status: int) -> None:
        policy = RetryPolicy(success_codes=frozenset({status}))
        result = verdict(answered(status), policy=policy)
        assert (result.state, result.disable_webhook) == (State.SUCCEEDED, False)
        assert verdict(answered(200), policy=policy).state is State.RETRY

    @pytest.mark.parametrize(
        ("body", "state"),
        [(b'{"result": "ok"}', State.SUCCEEDED), (b"", State.RETRY), (b"OK", State.RETRY)],
    )
    def test_may_need_a_text_in_the_body(self, body: bytes, state: State) -> None:
        result = verdict(answered(200, body=body), policy=RetryPolicy(body_contains="ok"))
        assert result.state is state
        if state is State.RETRY:
            assert result.error_kind is ErrorKind.HTTP
            assert "lacks the text" in result.reason

    def test_needs_the_whole_answer(self) -> None:
        assert verdict(failed(ErrorKind.TIMEOUT, status=200)).state is State.RETRY


class TestFailure:
    def test_of_410_is_final_and_disables_the_webhook(self) -> None:
        result = verdict(answered(410, Retry_After="5"))
        assert result.state is State.FAILED
        assert result.disable_webhook
        assert result.retry_in_s is None

    def test_of_a_broken_410_is_not(self) -> None:
        result = verdict(failed(ErrorKind.CLOSED, status=410))
        assert (result.state, result.disable_webhook) == (State.RETRY, False)

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 422, 451, 499])
    def test_of_the_client_is_retried_five_times(self, status: int) -> None:
        assert tries_until_the_end(answered(status)) == 1 + CLIENT_ERROR_RETRIES == 6

    @pytest.mark.parametrize("status", sorted(PATIENT_CLIENT_ERRORS))
    def test_of_the_moment_is_retried_to_the_end(self, status: int) -> None:
        assert tries_until_the_end(answered(status)) == 13

    @pytest.mark.parametrize("status", [101, 205, 301, 307, 500, 502, 503, 599])
    def test_of_any_other_status_is_retried_to_the_end(self, status: int) -> None:
        assert tries_until_the_end(answered(status)) == 13

    def test_names_where_a_redirect_points_but_not_what_goes_there(self) -> None:
        result = verdict(answered(302, Location="http://10.0.0.1/?phone=7776734736"))
        assert result.error_kind is ErrorKind.HTTP
        assert result.reason == "Answered 302 to http://10.0.0.1/; redirects are not followed."

    def test_says_when_no_tries_are_left(self) -> None:
        result = verdict(failed(ErrorKind.REFUSED), attempt_number=13)
        assert result.reason == "It broke. No tries are left."
        assert (result.state, result.error_kind) == (State.FAILED, ErrorKind.REFUSED)

    @pytest.mark.parametrize("attempt_number", [1, 13, 500])
    def test_of_our_own_spends_no_try_and_never_ends(self, attempt_number: int) -> None:
        result = verdict(failed(ErrorKind.LOCAL), attempt_number)
        assert (result.state, result.spends_try) == (State.RETRY, False)
        assert result.retry_in_s == LOCAL_RETRY_S

    @pytest.mark.parametrize(("stuck_for_s", "wait_s"), [(8, 5), (200, 20), (600, 60), (1e6, 60)])
    def test_of_our_own_waits_longer_while_it_lasts(
        self, stuck_for_s: float, wait_s: float
    ) -> None:
        result = judge(
            failed(ErrorKind.LOCAL),
            1,
            RetryPolicy(),
            now=NOW,
            random=lambda: 0.5,
            stuck_for_s=stuck_for_s,
        )
        assert result.retry_in_s == wait_s

    @pytest.mark.parametrize("attempt_number", [1, 13, 500])
    def test_of_settings_waits_for_an_operator(self, attempt_number: int) -> None:
        result = verdict(failed(ErrorKind.SETTINGS), attempt_number)
        assert (result.state, result.spends_try) == (State.RETRY, False)
        assert result.retry_in_s == SETTINGS_RETRY_S

    def test_of_the_payload_is_final(self) -> None:
        result = verdict(failed(ErrorKind.RENDER), 1)
        assert (result.state, result.spends_try) == (State.FAILED, True)

    @given(
        st.integers(100, 999) | st.none(),
        st.sampled_from([None, *ErrorKind]),
        st.integers(1, 40),
        SCHEDULES,
        UNIT,
    )
    def test_always_gets_a_complete_verdict(
        self,
        status: int | None,
        kind: ErrorKind | None,
        attempt_number: int,
        schedule: tuple[int, ...],
        unit: float,
    ) -> None:
        outcome = Outcome(status, (), b"", False, kind, "It broke." if kind else "", Timings(1.0))
        result = verdict(outcome, attempt_number, RetryPolicy(schedule=schedule), unit)
        assert (result.retry_in_s is not None) == (result.state is State.RETRY)
        assert (result.error_kind is None) == (result.state is State.SUCCEEDED)
        assert not result.disable_webhook or status == 410
        assert result.reason.endswith(".")
        if result.spends_try and result.state is State.RETRY:
            assert attempt_number <= len(schedule)


class TestCheckSchedule:
    @pytest.mark.parametrize(
        "waits_s", [(), (1,), (5, 5, 5), (MAX_SCHEDULE_S,), (1,) * MAX_RETRIES, [60, 30]]
    )
    def test_accepts(self, waits_s: list[int] | tuple[int, ...]) -> None:
        assert check_schedule(waits_s) == tuple(waits_s)

    @pytest.mark.parametrize(
        ("waits_s", "reason"),
        [
            ((0,), "Wait 1 must be"),
            ((5, -1), "Wait 2 must be"),
            ((1.5,), "whole number"),
            ((True,), "whole number"),
            (("5",), "whole number"),
            ((None,), "whole number"),
            ((MAX_SCHEDULE_S + 1,), "at most 8 days"),
            ((MAX_SCHEDULE_S, 1), "at most 8 days"),
            ((1,) * (MAX_RETRIES + 1), "at most 30 retries"),
        ],
    )
    def test_refuses_with_a_reason(self, waits_s: tuple[int, ...], reason: str) -> None:
        with pytest.raises(InvalidSchedule, match=reason):
            check_schedule(waits_s)

    @given(SCHEDULES)
    def test_bounds_how_long_a_delivery_can_take(self, waits_s: tuple[int, ...]) -> None:
        assert sum(check_schedule(waits_s)) <= MAX_SCHEDULE_S
