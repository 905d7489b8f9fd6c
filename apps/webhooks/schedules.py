"""Retry schedules: the waits between the tries of a delivery, as admins choose them. Pure."""

import re
from collections.abc import Sequence
from typing import Final

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400
_UNITS: Final = {"s": 1, "m": _MINUTE, "min": _MINUTE, "h": _HOUR, "d": _DAY}
_WAIT: Final = re.compile(r"([0-9]{1,6})(s|min|m|h|d)", re.IGNORECASE)

MAX_SCHEDULE_S: Final = 8 * _DAY
MAX_RETRIES: Final = 30
# What counts as delivered unless an admin says otherwise.
DEFAULT_SUCCESS_CODES: Final = (200, 201, 202, 203, 204)
# Seconds between one try and the next; the first try is at once. 13 tries in about 95 h.
DEFAULT_SCHEDULE: Final[tuple[int, ...]] = (
    5,
    30,
    2 * _MINUTE,
    10 * _MINUTE,
    30 * _MINUTE,
    _HOUR,
    3 * _HOUR,
    6 * _HOUR,
    12 * _HOUR,
    _DAY,
    _DAY,
    _DAY,
)
PRESETS: Final[dict[str, tuple[int, ...]]] = {
    "standard": DEFAULT_SCHEDULE,
    "patient": (*DEFAULT_SCHEDULE, _DAY, _DAY, _DAY, _DAY),
    "quick": DEFAULT_SCHEDULE[:5],
    "once": (),
}


class InvalidSchedule(ValueError):
    """A retry schedule can not be used; the message is for the form."""


def check_schedule(waits_s: Sequence[int]) -> tuple[int, ...]:
    """Validate the schedule of a webhook: the seconds before each retry, the first try not counted.

    An empty schedule means one try only. Raises InvalidSchedule.
    """
    if len(waits_s) > MAX_RETRIES:
        raise InvalidSchedule(f"A schedule has at most {MAX_RETRIES} retries.")
    for place, wait_s in enumerate(waits_s, start=1):
        if isinstance(wait_s, bool) or not isinstance(wait_s, int) or wait_s < 1:
            raise InvalidSchedule(f"Wait {place} must be a whole number of seconds, at least 1.")
    if sum(waits_s) > MAX_SCHEDULE_S:
        raise InvalidSchedule("The waits of a schedule may add up to at most 8 days.")
    return tuple(waits_s)


def parse_waits(text: str) -> tuple[int, ...]:
    """Read waits as people write them, as `5s, 2m, 1h, 1d`. Raises InvalidSchedule."""
    waits = []
    for word in re.split(r"\s*[,;]\s*|\s+", text.strip()):
        match = _WAIT.fullmatch(word)
        if match is None:
            raise InvalidSchedule(f"“{word}” is no wait. Write them as 5s, 2m, 1h, 1d.")
        waits.append(int(match[1]) * _UNITS[match[2].lower()])
    return check_schedule(waits)


def waits_in_words(waits_s: Sequence[int]) -> str:
    """Return what `parse_waits` reads back."""
    return ", ".join(_in_words(wait_s) for wait_s in waits_s)


def _in_words(wait_s: int) -> str:
    unit = next(unit for unit in ("d", "h", "m", "s") if wait_s % _UNITS[unit] == 0)
    return f"{wait_s // _UNITS[unit]}{unit}"
