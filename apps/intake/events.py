"""Reading an event: from what a platform posts to the facts that are kept.

Pure but for the names of event types. Field names, types and limits are described in
docs/api.md; faults are told by JSON pointer.
"""

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from apps.calls.events import CallStatus, EventType
from apps.calls.services import ANONYMOUS
from apps.calls.snapshots import MAX_SECONDS
from apps.campaigns.placing import PlaceReference
from apps.common.moments import YEARS
from apps.common.phones import E164, is_withheld
from apps.common.pointers import escaped

MAX_EVENT_BYTES = 262_144
MAX_DEPTH = 32
# Of a list of texts or ids.
_MOST_ITEMS = 200
_MOST_TRANSCRIPT = 200_000
_MOST_IVR_NUMBER = 10**15
_MAX_SEQUENCE = 9_223_372_036_854_775_807
_E164 = re.compile(E164)


class EventFault(Exception):
    """An event that can not be taken: where (JSON pointer), a stable code, and what to do."""

    def __init__(self, pointer: str, code: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class ParsedEvent:
    """An event that is well formed. `facts` is in the shape of a snapshot."""

    external_id: str
    call_external_id: str
    type: EventType
    occurred_at: dt.datetime
    sequence: int
    place: PlaceReference
    facts: dict[str, Any]


def parse_event(body: Any) -> ParsedEvent:
    """Read one event; raises EventFault for the first thing that is wrong with it."""
    if not isinstance(body, Mapping):
        raise EventFault("", "not_an_object", "An event is a JSON object.")
    if not _is_harmless(body):
        _check_values(body, "", 0)
    facts: dict[str, Any] = {}
    custom: dict[str, Any] = {}
    for name, value in body.items():
        reader = _READERS.get(name)
        if value is None and name not in _REQUIRED:
            continue
        if reader is None:
            custom[name] = value
        else:
            facts[name] = reader(f"/{name}", value)
    for name in _REQUIRED:
        if name not in facts:
            raise EventFault(f"/{name}", "required", f"An event needs {name}.")
    if "ivr" in facts:
        facts["ivr"].setdefault("date", facts["occurred_at"])
    if custom:
        facts["custom"] = {**custom, **facts.get("custom", {})}
    if len(orjson.dumps(facts)) > MAX_EVENT_BYTES:
        raise EventFault("", "too_large", f"One event has at most {MAX_EVENT_BYTES:,} bytes.")
    place = PlaceReference(**{name: facts.pop(name, None) for name in _PLACE_FIELDS})
    return ParsedEvent(
        external_id=facts.pop("id"),
        call_external_id=facts.pop("call_id"),
        type=EventType(facts["type"]),
        occurred_at=dt.datetime.fromisoformat(facts["occurred_at"]),
        sequence=facts.pop("sequence", 0),
        place=place,
        facts=facts,
    )


def _is_harmless(body: Mapping[str, Any]) -> bool:
    """Tell at a glance that an event, as most do, has nothing that `_check_values` refuses."""
    try:
        document = orjson.dumps(body)
    except TypeError:
        return False
    levels_at_most = document.count(b"{") + document.count(b"[")
    return levels_at_most <= MAX_DEPTH and b"\\u0000" not in document


def _check_values(value: Any, pointer: str, depth: int) -> None:
    """Refuse what PostgreSQL's jsonb can not hold, and nesting without end."""
    if depth > MAX_DEPTH:
        raise EventFault(pointer, "too_deep", f"Nest at most {MAX_DEPTH} levels.")
    if isinstance(value, str):
        if "\0" in value:
            raise EventFault(pointer, "nul_character", "Text can not contain the NUL character.")
    elif isinstance(value, Mapping):
        for name, item in value.items():
            if "\0" in name:
                raise EventFault(pointer, "nul_character", "A name can not contain NUL.")
            _check_values(item, f"{pointer}/{escaped(name)}", depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_values(item, f"{pointer}/{index}", depth + 1)


def _text(limit: int, *, required: bool = False) -> Callable[[str, Any], str]:
    def read(pointer: str, value: Any) -> str:
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise EventFault(pointer, "not_text", "This is text.")
        if required and not value.strip():
            raise EventFault(pointer, "required", "This can not be empty.")
        if len(value) > limit:
            raise EventFault(pointer, "too_long", f"This has at most {limit:,} characters.")
        return value

    return read


def _choice(choices: Mapping[str, str] | list[str], what: str) -> Callable[[str, Any], str]:
    def read(pointer: str, value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise EventFault(
                pointer,
                f"unknown_{what}",
                f"{_shown(value)} is no {what}; known are {', '.join(choices)}.",
            )
        return value

    return read


def _moment(pointer: str, value: Any) -> str:
    """Return an RFC 3339 time as UTC with milliseconds."""
    try:
        moment = dt.datetime.fromisoformat(value)
        offset = moment.utcoffset()
        moment = moment.astimezone(dt.UTC)
    except (TypeError, ValueError, OverflowError):
        offset = None
    if offset is None or moment.year not in YEARS:
        raise EventFault(
            pointer,
            "invalid_time",
            f"{_shown(value)} is no time with an offset, as 2026-03-28T00:05:00Z (RFC 3339).",
        )
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _phone(pointer: str, value: Any) -> str:
    if isinstance(value, str) and _E164.fullmatch(value):
        return value
    raise EventFault(
        pointer, "invalid_number", f"{_shown(value)} is no E.164 number, as +15551234567."
    )


def _caller(pointer: str, value: Any) -> str:
    if isinstance(value, str) and is_withheld(value):
        return ANONYMOUS
    return _phone(pointer, value)


def _whole(limit: int) -> Callable[[str, Any], int]:
    def read(pointer: str, value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= limit:
            raise EventFault(
                pointer, "invalid_number", f"This is a whole number from 0 to {limit}."
            )
        return value

    return read


def _seconds(pointer: str, value: Any) -> int:
    """Return whole seconds; a fraction is rounded."""
    if isinstance(value, float) and math.isfinite(value):
        value = round(value)
    return _whole(MAX_SECONDS)(pointer, value)


def _flag(pointer: str, value: Any) -> bool:
    if value in (0, 1) and not isinstance(value, float):
        return bool(value)
    raise EventFault(pointer, "not_a_flag", "This is true or false.")


def _object(pointer: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise EventFault(pointer, "not_an_object", "This is a JSON object.")
    return dict(value)


def _recording(pointer: str, value: Any) -> dict[str, Any]:
    recording = _object(pointer, value)
    if (seconds := recording.get("duration_s")) is not None:
        recording["duration_s"] = _seconds(f"{pointer}/duration_s", seconds)
    return recording


def _texts(pointer: str, value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) > _MOST_ITEMS:
        raise EventFault(pointer, "not_a_list", f"This is a list of at most {_MOST_ITEMS} texts.")
    read = _text(200, required=True)
    return [read(f"{pointer}/{index}", item) for index, item in enumerate(value)]


def _ids(pointer: str, value: Any) -> list[int]:
    if not isinstance(value, list) or len(value) > _MOST_ITEMS:
        raise EventFault(pointer, "not_a_list", f"This is a list of at most {_MOST_ITEMS} numbers.")
    read = _whole(_MAX_SEQUENCE)
    return [read(f"{pointer}/{index}", item) for index, item in enumerate(value)]


def _keyword_lists(pointer: str, value: Any) -> list[dict[str, Any]]:
    """Return lists of keywords, each with `id`, `name` and `keywords`, where these were said."""
    found = []
    for index, each in enumerate(_responses(pointer, value)):
        place = f"{pointer}/{index}"
        keywords = _responses(f"{place}/keywords", each.get("keywords") or [])
        found.append({**each, "keywords": keywords})
    return found


def _ivr(pointer: str, value: Any) -> dict[str, Any]:
    """Return the transcript of an answer to a question of an IVR."""
    ivr = _object(pointer, value)
    for name in ("id", "response_id", "question", "text"):
        if ivr.get(name) is None:
            raise EventFault(f"{pointer}/{name}", "required", f"This needs {name}.")
    read_number = _whole(_MOST_IVR_NUMBER)
    number = ivr["id"]
    if isinstance(number, str) and number.isascii() and number.isdigit() and len(number) <= 15:
        number = int(number)
    known = {
        "id": str(read_number(f"{pointer}/id", number)),
        "response_id": _text(128, required=True)(f"{pointer}/response_id", ivr["response_id"]),
        "question": _whole(_MOST_ITEMS)(f"{pointer}/question", ivr["question"]),
        "text": _text(_MOST_TRANSCRIPT)(f"{pointer}/text", ivr["text"]),
    }
    if ivr.get("duration_s") is not None:
        known["duration_s"] = _seconds(f"{pointer}/duration_s", ivr["duration_s"])
    if ivr.get("date") is not None:
        known["date"] = _moment(f"{pointer}/date", ivr["date"])
    return known


def _visitor(pointer: str, value: Any) -> dict[str, Any]:
    """Return what is known of the web session, its times as UTC."""
    visitor = _object(pointer, value)
    for name in ("number_shown_at", "session_tag_at"):
        if visitor.get(name) is not None:
            visitor[name] = _moment(f"{pointer}/{name}", visitor[name])
    return visitor


def _responses(pointer: str, value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise EventFault(pointer, "not_a_list", "This is a list of objects.")
    return [_object(f"{pointer}/{index}", item) for index, item in enumerate(value)]


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return f"“{text[:80]}”"


_REQUIRED = ("id", "type", "call_id", "occurred_at")
_PLACE_FIELDS = ("tracking_number", "location", "campaign", "treatment", "option")
_READERS: dict[str, Callable[[str, Any], Any]] = {
    "id": _text(128, required=True),
    "type": _choice(EventType.values, "type"),
    "call_id": _text(128, required=True),
    "occurred_at": _moment,
    "sequence": _whole(_MAX_SEQUENCE),
    "tracking_number": _phone,
    "location": _text(128),
    "campaign": _text(120),
    "treatment": _text(120),
    "option": _text(120),
    "from": _caller,
    "to": _phone,
    "target": _phone,
    "direction": _choice(["inbound", "outbound"], "direction"),
    "call_type": _text(60),
    "number_type": _choice(["static", "dynamic"], "number_type"),
    "session_id": _text(200),
    "repeat_caller": _flag,
    "started_at": _moment,
    "answered_at": _moment,
    "ended_at": _moment,
    "duration_s": _seconds,
    "talk_s": _seconds,
    "recorded_s": _seconds,
    "menu_s": _seconds,
    "ring_count": _whole(MAX_SECONDS),
    "status": _choice(CallStatus.values, "status"),
    "transfer_type": _text(60),
    "actions": _texts,
    "click": _object,
    "recording": _recording,
    "transcript": _text(_MOST_TRANSCRIPT),
    "ivr": _ivr,
    "responses": _responses,
    "keys": _texts,
    "postcodes": _texts,
    "survey": _object,
    "analysis": _object,
    "keyword_lists": _keyword_lists,
    "tag_ids": _ids,
    "tags": _object,
    "caller": _object,
    "visitor": _visitor,
    "vehicle": _object,
    "custom": _object,
}
