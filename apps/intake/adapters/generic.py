"""Callbacks of any platform, read as a sample of them was mapped. Pure.

The sample and each callback go through the same extraction; a place of it is filled into an event
as a token is into a payload, with the same formatters.
"""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from apps.common.phones import E164, is_withheld
from apps.intake.adapters.event_fields import BY_NAME, EVENT_FIELDS, EventField, Kind
from apps.intake.adapters.moments import read_moment, rfc3339
from apps.intake.adapters.reading import Reading, UnreadableCallback
from apps.webhooks.extraction import Field, Sample
from apps.webhooks.mapping import FieldMapping, Formatter, Mapping
from apps.webhooks.mapping import Kind as Fill
from apps.webhooks.mapping.formatters.phones import e164
from apps.webhooks.rendering.sources import source
from apps.webhooks.suggestions import suggest
from apps.webhooks.suggestions.names import steps_of
from apps.webhooks.tokens import as_text

_CUSTOM = "custom."
_E164 = re.compile(E164)
_CLOCK = re.compile(r"(?:([0-9]{1,4}):)?([0-9]{1,2}):([0-5][0-9])")
_NUMBER = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,9})?")
_TRUE, _FALSE = frozenset({"1", "true", "yes", "y"}), frozenset({"0", "false", "no", "n"})
_INBOUND = frozenset({"in", "inbound", "incoming", "received"})
_OUTBOUND = frozenset({"out", "outbound", "outgoing", "dialed", "dialled"})
# What is found in the words with which platforms say what happened.
_MEANINGS = (
    ("transcri", "transcript.ready"),
    ("record", "recording.ready"),
    ("ring", "call.ringing"),
    ("answer", "call.answered"),
    ("connect", "call.answered"),
    ("in-progress", "call.answered"),
    ("hang", "call.ended"),
    ("end", "call.ended"),
    ("complet", "call.ended"),
    ("finish", "call.ended"),
    ("update", "call.updated"),
    ("start", "call.started"),
    ("initiat", "call.started"),
    ("incoming", "call.started"),
    ("new", "call.started"),
)


@dataclass(frozen=True, slots=True)
class Locale:
    """How numbers and times of a source are meant that do not say it: country and time zone."""

    country: str
    zone: dt.tzinfo


def read(
    sample: Sample, mapping: Mapping, *, locale: Locale, now: dt.datetime, digest: str
) -> Reading:
    """Read a callback: `sample` is what extraction found in it, `digest` tells it from others.

    What can not be converted is left as it is, so that the event's own fault tells of it; but a
    caller, or somebody put through to, who is no number, as an extension, is kept beside the call.
    Raises UnreadableCallback where it does not say which call it is about.
    """
    values = {field.path: field.sample for field in sample.fields}
    snapshot = {"custom": values}
    event: dict[str, Any] = {}
    used: set[str] = set()
    for field in mapping.fields:
        wanted = BY_NAME.get(field.path)
        text = as_text(_filled(field, snapshot)).strip()
        if wanted is not None and text:
            value = _converted(wanted, text, locale)
            if _costs_the_call(wanted, value):
                continue
            _put(event, wanted.name, value)
        used.add(place_of(field))
    if "call_id" not in event:
        raise UnreadableCallback("It does not say which call it is about.")
    said = _said(mapping.get("type"), values)
    call_id = str(event["call_id"])
    if "type" not in event:
        shown = f"“{said[:60]}”" if said else "What happened"
        return Reading(said, call_id, None, ignored=f"{shown} is not set up to mean an event.")
    # The id of the call tells none of its events from another.
    if event.get("id", call_id) == call_id:
        event["id"] = f"callback:{digest}"
    event.setdefault("occurred_at", rfc3339(now))
    if custom := {_name(path): text for path, text in values.items() if path not in used and text}:
        event["custom"] = custom
    return Reading(said or str(event["type"]), call_id, event)


def suggested(sample: Sample) -> Mapping:
    """Return the mapping that the names and values of a sample speak for."""
    by_token: dict[str, list[tuple[int, str]]] = {}
    for path, suggestions in suggest(sample).items():
        for each in suggestions:
            if each.is_sure and (place := sample.find(path)) and place in sample.fields:
                by_token.setdefault(each.token, []).append((-each.score, path))
    taken: set[str] = set()
    fields = []
    for field in EVENT_FIELDS:
        named = _named(field.names, sample.fields)
        known = [path for token in field.tokens for _, path in sorted(by_token.get(token, ()))]
        for free in [path for path in [*named, *known] if path not in taken][:1]:
            taken.add(free)
            fields.append(fill(field, free, _guessed(field, sample.find(free))))
    return Mapping(tuple(fields))


def refitted(mapping: Mapping, sample: Sample) -> Mapping:
    """Return the mapping of another sample: what still fits or was emptied, and what that one
    speaks for.
    """
    kept = [each for each in mapping.fields if not place_of(each) or sample.find(place_of(each))]
    return suggested(sample).replaced(kept)


def fill(field: EventField, path: str, meanings: dict[str, str] | None = None) -> FieldMapping:
    """Return the mapping that fills a field of an event from a place of a callback.

    `meanings` gives for values, whatever their case, what they mean; all others mean nothing.
    """
    formatters: tuple[Formatter, ...] = ()
    if meanings is not None:
        values = {value.strip().lower(): meaning for value, meaning in meanings.items()}
        formatters = (
            Formatter("case", {"style": "lower"}),
            Formatter("map", {"values": values, "otherwise": ""}),
        )
    return FieldMapping(field.name, Fill.TOKEN, token=_CUSTOM + path, formatters=formatters)


def place_of(field: FieldMapping) -> str:
    """Return the place of the callback that fills a field; "" for a fixed value."""
    return field.token.removeprefix(_CUSTOM) if field.kind is Fill.TOKEN else ""


def meanings_of(field: FieldMapping) -> dict[str, str]:
    """Return what each value of the callback means, as `fill` was given it."""
    for formatter in field.formatters:
        if formatter.name == "map":
            return dict(formatter.options.get("values", {}))
    return {}


def _filled(field: FieldMapping, snapshot: dict[str, Any]) -> Any:
    return field.constant if field.kind is Fill.CONSTANT else source(field)(snapshot)


def _said(field: FieldMapping, values: dict[str, str]) -> str:
    """Return what the callback itself says that happened."""
    return values.get(place_of(field), "").strip()


def _put(event: dict[str, Any], name: str, value: object) -> None:
    room, _, inner = name.partition(".")
    if inner:
        event.setdefault(room, {})[inner] = value
    else:
        event[name] = value


def _converted(field: EventField, text: str, locale: Locale) -> object:
    match field.kind:
        case Kind.PHONE:
            return _phone(text, locale.country)
        case Kind.TIME:
            moment = read_moment(text, locale.zone)
            return text if moment is None else rfc3339(moment)
        case Kind.SECONDS:
            return _seconds(text)
        case Kind.FLAG:
            word = text.lower()
            return True if word in _TRUE else False if word in _FALSE else text
        case Kind.DIRECTION:
            word = text.lower()
            return "inbound" if word in _INBOUND else "outbound" if word in _OUTBOUND else text
    return text


def _costs_the_call(field: EventField, value: object) -> bool:
    """Tell whether an event would be refused for the number of a person; a tracking number must be
    one, as it tells the place.
    """
    if field.kind is not Kind.PHONE or field.name == "tracking_number":
        return False
    text = str(value)
    return not _E164.fullmatch(text) and not (field.name == "from" and is_withheld(text))


def _phone(text: str, country: str) -> str:
    return e164(text, country) or text


def _seconds(text: str) -> object:
    if _NUMBER.fullmatch(text):
        return round(float(text))
    if clock := _CLOCK.fullmatch(text):
        return int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + int(clock[3])
    return text


def _named(names: Iterable[str], fields: Iterable[Field]) -> list[str]:
    """Return the paths whose last name is one of these, in the order of the names."""
    by_name: dict[str, list[str]] = {}
    for field in fields:
        if words := steps_of(field.path):
            by_name.setdefault(" ".join(words[-1]), []).append(field.path)
    return [path for name in names for path in by_name.get(name, ())]


def _guessed(field: EventField, place: Field | None) -> dict[str, str] | None:
    """Return what the sample's own value probably means."""
    if field.kind not in (Kind.TYPE, Kind.STATUS) or place is None:
        return None
    text = place.sample.lower()
    if field.kind is Kind.STATUS:
        found = {"answer": "answered", "no": "no_answer", "busy": "busy", "fail": "failed"}
        meaning = next((found[word] for word in found if text.startswith(word)), None)
    else:
        meaning = next((event for word, event in _MEANINGS if word in text), None)
    return {text: meaning} if meaning else {}


def _name(path: str) -> str:
    """The name under which a value is kept that fills nothing: its path, in dots."""
    return path.removeprefix("$.").strip("/").replace("/", ".")
