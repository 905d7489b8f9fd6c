"""Dates and times: ISO 8601, Unix time, or a pattern of one's own, in any time zone."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from apps.webhooks.mapping.formatters.spec import (
    FormatterError,
    FormatterSpec,
    Option,
    OptionKind,
    Options,
    Step,
)
from apps.webhooks.tokens import Snapshot, Value, as_text
from apps.webhooks.tokens.readers import iso_utc, parse_moment

LOCATION_ZONE = "location"
"""The time zone of the location that was called; UTC where it has none."""

_UNIX = re.compile(r"[0-9]{9,13}")
_SHORTEST_MILLISECONDS = 12
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_PIECES: dict[str, Callable[[datetime], str]] = {
    "yyyy": lambda at: f"{at.year:04}",
    "yy": lambda at: f"{at.year % 100:02}",
    "MMMM": lambda at: _MONTHS[at.month - 1],
    "MMM": lambda at: _MONTHS[at.month - 1][:3],
    "MM": lambda at: f"{at.month:02}",
    "M": lambda at: str(at.month),
    "dd": lambda at: f"{at.day:02}",
    "d": lambda at: str(at.day),
    "EEEE": lambda at: _DAYS[at.weekday()],
    "EEE": lambda at: _DAYS[at.weekday()][:3],
    "HH": lambda at: f"{at.hour:02}",
    "H": lambda at: str(at.hour),
    "hh": lambda at: f"{at.hour % 12 or 12:02}",
    "h": lambda at: str(at.hour % 12 or 12),
    "mm": lambda at: f"{at.minute:02}",
    "m": lambda at: str(at.minute),
    "ss": lambda at: f"{at.second:02}",
    "s": lambda at: str(at.second),
    "SSS": lambda at: f"{at.microsecond // 1000:03}",
    "SSSSSS": lambda at: f"{at.microsecond:06}",
    "a": lambda at: "AM" if at.hour < 12 else "PM",
    "XXX": lambda at: _offset(at),
    "XX": lambda at: _offset(at).replace(":", ""),
}
_PATTERN = re.compile(r"'(?P<quoted>[^']*)'|(?P<piece>([A-Za-z])\3*)|(?P<literal>[^A-Za-z']+|')")


def _build(options: Options) -> Step:
    write = _writer(options["style"], options["pattern"])
    zone_name = options["zone"]
    if zone_name == LOCATION_ZONE:
        return lambda value, snapshot: _written(value, _location_zone(snapshot), write)
    zone = _zone(zone_name)
    if zone is None:
        raise FormatterError(f'There is no time zone "{zone_name}"; one is Europe/Berlin.')
    return lambda value, snapshot: _written(value, zone, write)


def _written(value: Value, zone: tzinfo, write: Callable[[datetime], str]) -> Value:
    at = _moment(as_text(value))
    if at is None:
        return None
    try:
        return write(at.astimezone(zone))
    except (OverflowError, ValueError):  # at the very ends of the calendar
        return None


def _moment(text: str) -> datetime | None:
    if _UNIX.fullmatch(text):
        unix = int(text)
        return datetime.fromtimestamp(
            unix / 1000 if len(text) >= _SHORTEST_MILLISECONDS else unix, UTC
        )
    return parse_moment(text)


def _writer(style: str, pattern: str | None) -> Callable[[datetime], str]:
    match style:
        case "iso":
            return _iso
        case "unix":
            return lambda at: str(int(at.timestamp()))
        case "unix_ms":
            return lambda at: str(int(at.timestamp()) * 1000 + at.microsecond // 1000)
        case "unix_us":
            return lambda at: str(int(at.timestamp()) * 1_000_000 + at.microsecond)
    if not pattern:
        raise FormatterError('"pattern" is missing; one is yyyy-MM-dd HH:mm:ss.')
    return _compiled_pattern(pattern)


def _compiled_pattern(pattern: str) -> Callable[[datetime], str]:
    """The writer of a pattern; text between single quotes is literal. Raises FormatterError."""
    writers: list[Callable[[datetime], str]] = []
    for match in _PATTERN.finditer(pattern):
        if piece := match["piece"]:
            if piece not in _PIECES:
                known = ", ".join(_PIECES)
                raise FormatterError(f'"{piece}" in the pattern is none of {known}.')
            writers.append(_PIECES[piece])
        else:
            writers.append(_literal(match["literal"] or match["quoted"]))
    return lambda at: "".join([write(at) for write in writers])


def _literal(text: str) -> Callable[[datetime], str]:
    return lambda at: text


def _iso(at: datetime) -> str:
    return iso_utc(at) if at.tzinfo is UTC else at.isoformat(timespec="milliseconds")


def _offset(at: datetime) -> str:
    return at.isoformat(timespec="seconds")[-6:]


def _location_zone(snapshot: Snapshot) -> tzinfo:
    location = snapshot.get("location")
    name = location.get("time_zone") if isinstance(location, dict) else None
    return (_zone(name) if isinstance(name, str) else None) or UTC


@lru_cache(maxsize=1024)
def _zone(name: str) -> tzinfo | None:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, not a name, a folder of names
        return None


DATE = FormatterSpec(
    "date",
    "Date and time",
    (
        Option(
            "style",
            "Write as",
            OptionKind.CHOICE,
            choices=(
                ("iso", "ISO 8601: 2019-03-28T00:05:00.000Z"),
                ("unix", "Unix seconds: 1553731500"),
                ("unix_ms", "Unix milliseconds: 1553731500000"),
                ("unix_us", "Unix microseconds: 1553731500000000"),
                ("custom", "A pattern: yyyy-MM-dd HH:mm:ss"),
            ),
        ),
        Option("zone", "Time zone", OptionKind.TEXT, "UTC", largest=64),
        Option("pattern", "Pattern", OptionKind.TEXT, largest=100, is_optional=True),
    ),
    _build,
)
