"""When a place is open: hours of the week in its own time zone. Pure.

The plain form is a JSON object of days, each with its spans as minutes of the day:
`{"mon": [[540, 720], [780, 1020]]}`. A day without spans is closed.
"""

import datetime as dt
import itertools
import re
import zoneinfo
from collections.abc import Mapping, Sequence

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_A_DAY = 24 * 60
_MOST_SPANS = 6
_TIME = r"([0-9]{1,2})(?::([0-5][0-9]))?"
_SPAN = re.compile(rf"{_TIME}\s*(?:-|\u2013|to)\s*{_TIME}")

Span = Sequence[int]
Hours = Mapping[str, Sequence[Span]]


class InvalidHours(ValueError):
    """Hours that make no sense; the message is for people."""


def parse_day(text: str) -> list[list[int]]:
    """Read `9:00-12:00, 13:00-17:00`; nothing means closed. Raises InvalidHours."""
    spans = [_span(part.strip()) for part in text.replace(";", ",").split(",") if part.strip()]
    if len(spans) > _MOST_SPANS:
        raise InvalidHours(f"A day has at most {_MOST_SPANS} times.")
    _refuse_overlaps(spans)
    return sorted(spans)


def day_in_words(spans: Sequence[Span]) -> str:
    """Write the spans of a day as `parse_day` reads them."""
    return ", ".join(f"{_clock(begin)}-{_clock(end)}" for begin, end in spans)


def is_open(hours: Hours, moment: dt.datetime, time_zone: str) -> bool | None:
    """Tell whether a place is open at a moment; None where no hours are known at all."""
    if not any(hours.get(day) for day in DAYS):
        return None
    local = moment.astimezone(zoneinfo.ZoneInfo(time_zone))
    minute = local.hour * 60 + local.minute
    return any(begin <= minute < end for begin, end in hours.get(DAYS[local.weekday()], ()))


def check_hours(hours: object) -> None:
    """Raise InvalidHours for what is not in the plain form."""
    if not isinstance(hours, dict) or set(hours) - set(DAYS):
        raise InvalidHours("Business hours are given by day: mon, tue and so on.")
    for spans in hours.values():
        if not isinstance(spans, list) or len(spans) > _MOST_SPANS:
            raise InvalidHours("A day has a list of times.")
        for span in spans:
            if not (
                isinstance(span, list)
                and len(span) == 2
                and all(type(minute) is int for minute in span)
                and 0 <= span[0] < span[1] <= MINUTES_A_DAY
            ):
                raise InvalidHours("A time is two minutes of the day, as [540, 1020].")
        _refuse_overlaps(spans)


def _refuse_overlaps(spans: Sequence[Span]) -> None:
    for (_, end), (begin, _) in itertools.pairwise(sorted(map(tuple, spans))):
        if begin < end:
            raise InvalidHours("Two of these times overlap.")


def _span(text: str) -> list[int]:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise InvalidHours(f"“{text[:20]}” is no time; write 9:00-17:00.")
    begin, end = (int(found[hour]) * 60 + int(found[hour + 1] or 0) for hour in (1, 3))
    if not 0 <= begin < end <= MINUTES_A_DAY:
        raise InvalidHours(f"“{text[:20]}” must begin before it ends, within one day.")
    return [begin, end]


def _clock(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02}"
