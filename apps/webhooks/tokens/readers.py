"""How tokens read themselves from a snapshot: small functions, built once per token.

Every reader takes a snapshot and returns a value or None where the call does not have it. A
snapshot may hold anything (a number for a name, a list where an object belongs): readers return
the text of an unexpected scalar, and None behind an unexpected container. They never raise.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from apps.webhooks.tokens.values import Snapshot, Value, as_text

Reader = Callable[[Snapshot], Value]

_DIAL_STATUSES: Final = {
    "answered": "ANSWER",
    "no_answer": "NOANSWER",
    "busy": "BUSY",
    "ivr": "IVR",
    "failed": "FAILED",
    "voicemail": "VOICEMAIL",
}
_TRUE_WORDS: Final = frozenset({"1", "true", "yes", "y", "t"})
_FALSE_WORDS: Final = frozenset({"0", "false", "no", "n", "f"})
_NANP_LENGTH: Final = len("+17776734736")


def text(*path: str) -> Reader:
    """Read the text at a path of one key (`call_id`) or two (`caller`, `first_name`)."""
    if len(path) == 1:
        (key,) = path

        def read(snapshot: Snapshot) -> Value:
            value = snapshot.get(key)
            return value if type(value) is str and not value.isspace() else _scalar_text(value)

        return read
    room, key = path

    def read_inside(snapshot: Snapshot) -> Value:
        part = snapshot.get(room)
        if type(part) is not dict:
            return None
        value = part.get(key)
        return value if type(value) is str and not value.isspace() else _scalar_text(value)

    return read_inside


def first_of(*readers: Reader) -> Reader:
    """Read with each reader in turn until one has a value other than None and ""."""

    def read(snapshot: Snapshot) -> Value:
        for reader in readers:
            value = reader(snapshot)
            if value is not None and value != "":
                return value
        return None

    return read


def phone(key: str) -> Reader:
    """Read a number: ten national digits in the North American plan (+1), E.164 elsewhere.

    Words such as "anonymous" stay as they are.
    """
    read_text = text(key)

    def read(snapshot: Snapshot) -> Value:
        value = read_text(snapshot)
        if value is not None and len(value) == _NANP_LENGTH and value.startswith("+1"):
            return value[2:]
        return value

    return read


def boolean01(*path: str) -> Reader:
    """Read a yes/no as "1" or "0"; None when it is neither."""
    room, key = path if len(path) == 2 else (None, path[0])

    def read(snapshot: Snapshot) -> Value:
        part = snapshot if room is None else snapshot.get(room)
        value = part.get(key) if part is snapshot or type(part) is dict else None
        if value is True:
            return "1"
        if value is False:
            return "0"
        word = as_text(value).strip().lower()
        return "1" if word in _TRUE_WORDS else "0" if word in _FALSE_WORDS else None

    return read


def moment(*path: str) -> Reader:
    """Read a time as ISO 8601 in UTC with milliseconds (`2019-03-28T00:05:00.000Z`)."""
    read_text = text(*path)

    def read(snapshot: Snapshot) -> Value:
        value = read_text(snapshot)
        if value is None or (len(value) == 24 and value[-1] == "Z"):
            return value
        at = parse_moment(value)
        return iso_utc(at) if at else value

    return read


def long_moment(*path: str) -> Reader:
    """Read a time the way lookups print it, in UTC: `13 Oct 2020 3:15:12 PM`."""
    read_text = text(*path)

    def read(snapshot: Snapshot) -> Value:
        value = read_text(snapshot)
        at = parse_moment(value) if value else None
        if at is None:
            return value
        half = "AM" if at.hour < 12 else "PM"
        month = _MONTHS[at.month - 1]
        clock = f"{at.hour % 12 or 12}:{at.minute:02}:{at.second:02} {half}"
        return f"{at.day} {month} {at.year} {clock}"

    return read


def degrees(*path: str) -> Reader:
    """Read a latitude or longitude; a number gets six decimals, text stays as it came."""
    room, key = path

    def read(snapshot: Snapshot) -> Value:
        part = snapshot.get(room)
        value = part.get(key) if type(part) is dict else None
        return f"{value:.6f}" if type(value) in (int, float) else _scalar_text(value)

    return read


def dial_status(snapshot: Snapshot) -> Value:
    """Read the outcome in the words receivers know: ANSWER, NOANSWER, BUSY, IVR, ..."""
    status = snapshot.get("status")
    if type(status) is not str:
        return None
    return _DIAL_STATUSES.get(status) or status.upper().replace("_", "")


def responses(snapshot: Snapshot) -> Value:
    """Read the caller's answers as a list of objects; None when the call has none."""
    answers = snapshot.get("responses")
    if type(answers) is not list:
        return None
    return [answer for answer in answers if type(answer) is dict] or None


def response_part(key: str) -> Reader:
    """Read one part of every answer, joined by ", ": exactly one inside a repeat."""

    def read(snapshot: Snapshot) -> Value:
        answers = responses(snapshot)
        if answers is None:
            return None
        return ", ".join(as_text(answer.get(key)) for answer in answers)

    return read


def one_response(snapshot: Snapshot, answer: Value) -> Snapshot:
    """The same call as if the caller had given this one answer: what a repeat renders with."""
    return {**snapshot, "responses": [answer]}


def last_option(key: str) -> Reader:
    """Read one part of the option that the caller chose last; None when none was chosen."""

    def read(snapshot: Snapshot) -> Value:
        options = snapshot.get("options")
        option = options[-1] if type(options) is list and options else None
        return _scalar_text(option.get(key)) if type(option) is dict else None

    return read


def tags(snapshot: Snapshot) -> Value:
    """Read all tags as an object; None when there are none."""
    value = snapshot.get("tags")
    return value if type(value) is dict and value else None


def custom(path: str) -> Reader:
    """Read any custom field as it is. A key that has dots itself wins, else each dot goes deeper
    (into a list by position: `items.0`)."""
    steps = path.split(".")

    def read(snapshot: Snapshot) -> Value:
        value = snapshot.get("custom")
        if type(value) is dict and path in value:
            return value[path]
        for step in steps:
            if type(value) is dict:
                value = value.get(step)
            elif type(value) is list and step.isascii() and step.isdecimal():
                position = int(step[:9])
                value = value[position] if position < len(value) else None
            else:
                return None
        return value

    return read


def one_custom_item(path: str) -> Callable[[Snapshot, Value], Snapshot]:
    """Build the narrowing for a custom list: the field then holds the one item."""

    def narrow(snapshot: Snapshot, item: Value) -> Snapshot:
        fields = snapshot.get("custom")
        return {**snapshot, "custom": _replaced(fields, path, item)}

    return narrow


def parse_moment(value: str) -> datetime | None:
    """Parse a time as any token prints it; without an offset it is UTC. None when it is none."""
    for parse in (datetime.fromisoformat, _parse_long):
        try:
            at = parse(value.strip())
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None


def iso_utc(at: datetime) -> str:
    """Write a time as `2019-03-28T00:05:00.000Z`."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


_MONTHS: Final = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)


def _parse_long(value: str) -> datetime:
    return datetime.strptime(value, "%d %b %Y %I:%M:%S %p").replace(tzinfo=UTC)


def _scalar_text(value: Value) -> str | None:
    """The text of a scalar; None for nothing but blanks, which say as much as nothing does."""
    text = None if value is None else as_text(value)
    return None if text is not None and text.isspace() else text


def _replaced(fields: Value, path: str, item: Value) -> Value:
    if type(fields) is not dict:
        return fields
    step, _, rest = path.partition(".")
    if not rest or path in fields:
        return {**fields, path: item}
    return {**fields, step: _replaced(fields.get(step), rest, item)}
