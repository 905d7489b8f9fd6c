"""How a sample writes dates and times, as a pattern of the date formatter.

"2019-03-28T00:05:00.123Z"       yyyy-MM-dd'T'HH:mm:ss.SSS'Z'
"Thu, 28 Mar 2019 00:05:00 GMT"  EEE, dd MMM yyyy HH:mm:ss 'GMT'
"3/28/2019 12:05 AM"             M/d/yyyy h:mm a

Where day and month could be either, the month comes first, as in the United States; a day over 12
or dots between say otherwise.
"""

import re
from functools import lru_cache

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_MONTHS = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
)
_DATE = rf"""
    (?P<year>[12][0-9]{{3}})(?P<between>[-/.])(?P<month>[0-9]{{1,2}})(?P=between)(?P<day>[0-9]{{1,2}})
  | (?P<one>[0-9]{{1,2}})(?P<mark>[-/.])(?P<two>[0-9]{{1,2}})(?P=mark)
    (?:(?P<long_year>[12][0-9]{{3}})|(?<=/)(?P<short_year>[0-9]{{2}}))
  | (?P<weekday>[A-Z][a-z]{{2}},[ ])?(?P<named_day>[0-9]{{1,2}})(?P<gap>[ -])
    (?:(?P<name>{_MONTH})|(?P<full_name>{_MONTHS}))(?P=gap)(?P<named_year>[12][0-9]{{3}})
  | (?:(?P<us_name>{_MONTH})|(?P<us_full_name>{_MONTHS}))[ ](?P<us_day>[0-9]{{1,2}}),[ ]
    [12][0-9]{{3}}
"""
_TIME = r"""
    (?P<hour>[0-9]{1,2}):[0-9]{2}(?P<seconds>:[0-9]{2}(?:(?P<point>[.,])(?P<fraction>[0-9]{3}(?:[0-9]{3})?))?)?
    (?P<half>[ ]?[AaPp][Mm])?
"""
_ZONE = r"(?P<zone>[ ]?(?:Z|UTC|GMT|[-+][0-9]{2}:[0-9]{2}|[-+][0-9]{4}))"
_MOMENT = re.compile(rf"(?:{_DATE})(?:(?P<join>T|[ ]|,[ ]|[ ]at[ ]){_TIME}{_ZONE}?)?", re.VERBOSE)
_CLOCK = re.compile(_TIME, re.VERBOSE)
_COMPACT = re.compile(
    r"((?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01]))(?:(T)?([0-9]{6})(Z)?)?"
)
_COMPACT_PIECES = ("yyyyMMdd", "'T'", "HHmmss", "'Z'")
_IN_UTC = ("Z", "UTC", "GMT", "+00:00", "+0000")
_LONGEST = 45


def looks_like_a_moment(value: str) -> bool:
    """Whether a value is a date, with or without a time; digits alone could be anything."""
    return len(value) <= _LONGEST and _MOMENT.fullmatch(value) is not None


def is_in_utc(value: str) -> bool:
    """Whether a value says that it is in UTC."""
    return value.endswith(_IN_UTC)


@lru_cache(maxsize=1024)
def pattern_of(value: str) -> str | None:
    """The pattern that writes a date, a time or both as the value does; None when it is neither."""
    if len(value) > _LONGEST:
        return None
    if moment := _MOMENT.fullmatch(value):
        date = _date_of(moment)
        if moment["join"] is None:
            return date
        return date + _joined_by(moment["join"]) + _time_of(moment) + _zone_of(moment["zone"])
    if clock := _CLOCK.fullmatch(value):
        return _time_of(clock)
    if compact := _COMPACT.fullmatch(value):
        pieces = zip(_COMPACT_PIECES, compact.groups(), strict=True)
        return "".join(piece for piece, is_there in pieces if is_there)
    return None


def _date_of(found: re.Match[str]) -> str:
    if between := found["between"]:
        return f"yyyy{between}{_digits('M', found['month'])}{between}{_digits('d', found['day'])}"
    if found["mark"]:
        return _numeric_date(found["one"], found["two"], found["mark"], found["long_year"])
    if found["named_day"]:
        is_padded = found["weekday"] or found["gap"] == "-" or found["named_day"][0] == "0"
        month = "MMM" if found["name"] else "MMMM"
        weekday = "EEE, " if found["weekday"] else ""
        gap = found["gap"]
        return f"{weekday}{'dd' if is_padded else 'd'}{gap}{month}{gap}yyyy"
    day = "dd" if found["us_day"][0] == "0" else "d"
    return f"{'MMM' if found['us_name'] else 'MMMM'} {day}, yyyy"


def _numeric_date(one: str, two: str, mark: str, long_year: str | None) -> str:
    is_padded = len(one) == len(two) == 2
    day, month = ("dd", "MM") if is_padded else ("d", "M")
    first, second = (day, month) if _is_day_first(one, two, mark) else (month, day)
    return f"{first}{mark}{second}{mark}{'yyyy' if long_year else 'yy'}"


def _is_day_first(one: str, two: str, mark: str) -> bool:
    return int(one) > 12 or (mark == "." and int(two) <= 12)


def _digits(letter: str, written: str) -> str:
    return letter * len(written)


def _joined_by(text: str) -> str:
    return "'T'" if text == "T" else text.replace("at", "'at'")


def _time_of(found: re.Match[str]) -> str:
    half = found["half"]
    letter = "h" if half else "H"
    is_padded = found["hour"][0] == "0" or (not half and len(found["hour"]) == 2)
    time = f"{letter * 2 if is_padded else letter}:mm"
    if found["seconds"]:
        time += ":ss"
    if found["fraction"]:
        time += found["point"] + "S" * len(found["fraction"])
    if half:
        time += " a" if half.startswith(" ") else "a"
    return time


def _zone_of(zone: str | None) -> str:
    if zone is None:
        return ""
    blank, name = zone[: len(zone) - len(zone.lstrip())], zone.lstrip()
    if name[0] in "+-":
        return f"{blank}{'XXX' if ':' in name else 'XX'}"
    return f"{blank}'{name}'"
