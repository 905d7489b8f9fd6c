"""When a failed delivery is tried again, and when it is over. Pure rules: no clock, no I/O.

`judge` is the one question the engine asks after each try. The rules and figures are those of
docs/delivery.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import cache
from typing import Final

from apps.delivery.outcome import ErrorKind, Outcome
from apps.webhooks.schedules import DEFAULT_SCHEDULE, DEFAULT_SUCCESS_CODES

_HOUR: Final = 3600

# Each wait varies by this share, so that a backlog does not come back as one wave.
JITTER: Final = 0.10
RETRY_AFTER_CAP_S: Final = 10 * _HOUR
# Retries after a 4xx, which is seldom healed by waiting; not for the four that ask to wait.
CLIENT_ERROR_RETRIES: Final = 5
PATIENT_CLIENT_ERRORS: Final = frozenset({408, 409, 425, 429})
GONE: Final = 410
# Wait after an error on our side, in seconds; while it lasts, a tenth of the time so far, but not
# more than a minute. And after one that an operator has to mend.
LOCAL_RETRY_S: Final = 5
LONGEST_LOCAL_RETRY_S: Final = 60
SETTINGS_RETRY_S: Final = _HOUR

# Tries whose end nobody knows, as they ended with their worker or broke down, until a delivery is
# given up: it may be what ends the workers.
MOST_LOST: Final = 10
LOST_TOO_OFTEN: Final = (
    f"Not sent again: {MOST_LOST} tries ended with the worker that made them, or broke down in"
    " Hookline. It may have arrived. It can be resent."
)

Random = Callable[[], float]
"""Gives a number in [0, 1), as `random.random` does."""


class State(StrEnum):
    """Where a try leaves its delivery."""

    SUCCEEDED = "succeeded"
    RETRY = "retry"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """What one webhook counts as success and how long it keeps trying.

    `body_contains`, when set, must appear in the body of a success (its first 64 KiB).
    """

    schedule: tuple[int, ...] = DEFAULT_SCHEDULE
    success_codes: frozenset[int] = frozenset(DEFAULT_SUCCESS_CODES)
    body_contains: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do after a try.

    `retry_in_s` is set exactly when the state is RETRY. `error_kind` is the client's, or HTTP when
    a complete response was no success. `spends_try` is False when the failure was on our side:
    the try is not counted. `reason` is one sentence for the log and the admin.
    """

    state: State
    reason: str
    error_kind: ErrorKind | None = None
    retry_in_s: float | None = None
    disable_webhook: bool = False
    spends_try: bool = True

    @property
    def gives_up_lost(self) -> bool:
        """Whether its delivery ends as too many of its tries were lost."""
        return self.state is State.FAILED and self.error_kind is ErrorKind.LOST


def judge(
    outcome: Outcome,
    attempt_number: int,
    policy: RetryPolicy,
    *,
    now: datetime,
    random: Random,
    stuck_for_s: float = 0.0,
) -> Verdict:
    """Decide what a try's outcome means for its delivery.

    `attempt_number` counts from 1 and includes this try, but none that was lost; `now` is aware and
    only reads dates in Retry-After. `stuck_for_s` is how long the delivery may have failed on our
    side, in seconds; 0 for the first time.
    """
    if outcome.error_kind in (ErrorKind.LOCAL, ErrorKind.SETTINGS):
        is_local = outcome.error_kind is ErrorKind.LOCAL
        return Verdict(
            State.RETRY,
            outcome.error_message,
            error_kind=outcome.error_kind,
            retry_in_s=_jittered(
                _local_wait(stuck_for_s) if is_local else SETTINGS_RETRY_S, random
            ),
            spends_try=False,
        )
    if outcome.error_kind is ErrorKind.LOST:
        # There was no try: it was lost before.
        return Verdict(
            State.FAILED, outcome.error_message, error_kind=ErrorKind.LOST, spends_try=False
        )
    if outcome.error_kind is ErrorKind.RENDER:
        # Version and snapshot are fixed: the next try would fail just the same.
        return Verdict(State.FAILED, outcome.error_message, error_kind=ErrorKind.RENDER)
    if outcome.error_kind is None and outcome.status in policy.success_codes:
        if _body_matches(outcome, policy):
            return _success(outcome.status)
        reason = "The answer's body lacks the text that this webhook expects."
    else:
        reason = outcome.error_message or _describe_status(outcome)
    kind = outcome.error_kind or ErrorKind.HTTP
    status = outcome.status if kind is ErrorKind.HTTP else None
    if status == GONE and GONE not in policy.success_codes:
        return Verdict(State.FAILED, reason, error_kind=kind, disable_webhook=True)
    delay = None
    if not _is_hopeless(status, attempt_number, policy):
        retry_after = parse_retry_after(outcome.header("Retry-After"), now)
        delay = next_delay(attempt_number, policy.schedule, retry_after, random)
    if delay is None:
        return Verdict(State.FAILED, f"{reason} No tries are left.", error_kind=kind)
    return Verdict(State.RETRY, reason, error_kind=kind, retry_in_s=delay)


def broken_down(lost_count: int) -> Verdict:
    """Decide what a try means that broke down in our own code: it may have arrived.

    `lost_count` is how many were lost so far, with this one.
    """
    if lost_count >= MOST_LOST:
        return Verdict(State.FAILED, LOST_TOO_OFTEN, error_kind=ErrorKind.LOST)
    reason = "The try broke down in Hookline; it may have arrived."
    return Verdict(
        State.RETRY, reason, error_kind=ErrorKind.LOST, retry_in_s=float(SETTINGS_RETRY_S)
    )


@cache
def _success(status: int | None) -> Verdict:
    return Verdict(State.SUCCEEDED, f"Answered {status}.")


def _body_matches(outcome: Outcome, policy: RetryPolicy) -> bool:
    return not policy.body_contains or policy.body_contains.encode() in outcome.body


def _describe_status(outcome: Outcome) -> str:
    location = outcome.header("Location")
    if outcome.status is not None and 300 <= outcome.status < 400 and location:
        # Without the query, which may be the payload: this is kept for longer than payloads are.
        where = location.partition("?")[0][:200]
        return f"Answered {outcome.status} to {where}; redirects are not followed."
    return f"Answered {outcome.status}."


def _is_hopeless(status: int | None, attempt_number: int, policy: RetryPolicy) -> bool:
    """Whether this is a 4xx that has used up its few retries."""
    if status is None or not 400 <= status < 500 or status in PATIENT_CLIENT_ERRORS:
        return False
    return status not in policy.success_codes and attempt_number > CLIENT_ERROR_RETRIES


def next_delay(
    attempts_made: int, schedule: Sequence[int], retry_after_s: float | None, random: Random
) -> float | None:
    """Seconds to wait before the next try, or None when the schedule is used up.

    The wait of the schedule varies by ±10%. `retry_after_s` only ever delays, and by at most 10 h.
    """
    if attempts_made > len(schedule):
        return None
    delay = _jittered(schedule[attempts_made - 1], random)
    return max(delay, min(retry_after_s or 0.0, RETRY_AFTER_CAP_S))


def _local_wait(stuck_for_s: float) -> float:
    return max(LOCAL_RETRY_S, min(stuck_for_s / 10, LONGEST_LOCAL_RETRY_S))


def _jittered(delay_s: float, random: Random) -> float:
    return delay_s * (1 - JITTER + 2 * JITTER * random())


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for, 0 or more; None for none, or for garbage.

    Reads delay-seconds and HTTP dates (RFC 9110, section 10.2.3).
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        # Beyond any cap already, and int() refuses to read thousands of digits.
        return float(text[:12]) if len(text) <= 12 else float(RETRY_AFTER_CAP_S)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max((moment - now).total_seconds(), 0.0)
