"""Conditions as rows of a form: each a predicate, joined to the one before by “and” or “or”. Pure.

“And” binds tighter than “or”, as people read it: the rows are alternatives, of each of which all
rules must hold. Any condition can be written that way, unless a text of it has a comma.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from apps.campaigns.conditions import (
    ALWAYS,
    MAX_RULES,
    Condition,
    Group,
    InvalidCondition,
    Op,
    Rule,
    condition_from,
    to_plain,
)
from apps.campaigns.conditions_in_words import span

_TIME = re.compile(
    r"(?:(?P<h>[0-9]{1,3})\s*h(?:ours?)?)?\s*(?:(?P<m>[0-9]{1,5})\s*m(?:in(?:utes?)?)?)?\s*"
    r"(?:(?P<s>[0-9]{1,6})\s*s(?:ec(?:onds?)?)?)?",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"([0-9]{1,4}):([0-5][0-9])")


class Asks(StrEnum):
    """What a predicate wants to know besides itself."""

    NOTHING = "nothing"
    TIME = "time"
    TEXTS = "texts"
    TAG = "tag"


@dataclass(frozen=True, slots=True)
class Predicate:
    """Something that can be said of calls; `value` is fixed where nothing is asked."""

    key: str
    label: str
    field: str
    op: Op = Op.IS
    asks: Asks = Asks.NOTHING
    value: bool = True


PREDICATES = (
    Predicate("answered", "was answered", "answered"),
    Predicate("unanswered", "was not answered", "answered", value=False),
    Predicate("talk_min", "has talk time of at least", "talk_s", Op.AT_LEAST, Asks.TIME),
    Predicate("talk_max", "has talk time of at most", "talk_s", Op.AT_MOST, Asks.TIME),
    Predicate("duration_min", "lasted at least", "duration_s", Op.AT_LEAST, Asks.TIME),
    Predicate("duration_max", "lasted at most", "duration_s", Op.AT_MOST, Asks.TIME),
    Predicate("first", "is of a first-time caller", "repeat_caller", value=False),
    Predicate("repeat", "is of a repeat caller", "repeat_caller"),
    Predicate("open", "came in business hours", "business_hours"),
    Predicate("closed", "came outside business hours", "business_hours", value=False),
    Predicate("tag", "has the tag", "tag", Op.IS, Asks.TAG),
    Predicate("no_tag", "does not have the tag", "tag", Op.IS_NOT, Asks.TAG),
    Predicate("campaign", "is from the campaign", "campaign", Op.IS, Asks.TEXTS),
    Predicate("no_campaign", "is not from the campaign", "campaign", Op.IS_NOT, Asks.TEXTS),
    Predicate("area", "is from the area code", "area_code", Op.IS, Asks.TEXTS),
    Predicate("no_area", "is not from the area code", "area_code", Op.IS_NOT, Asks.TEXTS),
    Predicate("source", "is from the source", "source", Op.IS, Asks.TEXTS),
    Predicate("no_source", "is not from the source", "source", Op.IS_NOT, Asks.TEXTS),
)
_BY_KEY = {each.key: each for each in PREDICATES}


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it is typed: whether it begins an alternative, the predicate's key, and a value."""

    is_or: bool
    what: str
    value: str


def condition_of(rows: Iterable[Row]) -> Condition:
    """Return what rows say; those without a predicate are left out. Raises InvalidCondition."""
    alternatives: list[list[Condition]] = []
    for number, row in enumerate(rows, start=1):
        if not row.what:
            continue
        try:
            rule = _rule(row)
        except InvalidCondition as error:
            raise InvalidCondition(f"Condition {number}: {error}") from None
        if row.is_or or not alternatives:
            alternatives.append([])
        alternatives[-1].append(rule)
    groups = [Group(of=tuple(rules)) for rules in alternatives]
    if not groups:
        return ALWAYS
    whole = groups[0] if len(groups) == 1 else Group(True, tuple(groups))
    return condition_from(to_plain(whole))


def rows_of(condition: Condition) -> list[Row] | None:
    """Return a condition as rows; None if those would be too many, or say something else."""
    alternatives = _alternatives(condition)
    if alternatives is None or sum(map(len, alternatives)) > MAX_RULES:
        return None
    rows: list[Row] = []
    for index, rules in enumerate(alternatives):
        for place, rule in enumerate(rules):
            row = _row(rule, is_or=bool(index) and not place)
            if not _says(row, rule):
                return None
            rows.append(row)
    return rows


def _says(row: Row, rule: Rule) -> bool:
    """Tell whether a row is read as this rule; a comma or = in a text of it parts others."""
    try:
        return _rule(row) == rule
    except InvalidCondition:
        return False


def _alternatives(condition: Condition) -> list[list[Rule]] | None:
    """Return the ways in which a condition may hold, each the rules that must."""
    if isinstance(condition, Rule):
        return [[condition]]
    parts: list[list[list[Rule]]] = []
    for inner in condition.of:
        found = _alternatives(inner)
        if found is None:
            return None
        parts.append(found)
    if condition.is_any:
        return [rules for part in parts for rules in part]
    ways = 1
    for ways_of_part in parts:
        ways *= len(ways_of_part)
    if ways > MAX_RULES:
        return None
    if not parts:
        return []
    return [[rule for rules in way for rule in rules] for way in product(*parts)]


def _rule(row: Row) -> Rule:
    predicate = _BY_KEY.get(row.what)
    if predicate is None:
        raise InvalidCondition("Choose one from the list.")
    value = row.value.strip()
    match predicate.asks:
        case Asks.NOTHING:
            return Rule(predicate.field, predicate.op, predicate.value)
        case Asks.TIME:
            return Rule(predicate.field, predicate.op, seconds_of(value))
        case Asks.TAG:
            name, equals, texts = value.partition("=")
            if not equals or not name.strip():
                raise InvalidCondition("Write a tag and its value, as Region = south.")
            return Rule(predicate.field, predicate.op, _texts(texts), name.strip())
    return Rule(predicate.field, predicate.op, _texts(value))


def seconds_of(text: str) -> int:
    """Read `90`, `90 s`, `1 min 30 s` or `1:30`. Raises InvalidCondition."""
    text = text.strip()
    if text.isascii() and text.isdecimal() and len(text) < 7:
        return int(text)
    if clock := _CLOCK.fullmatch(text):
        return int(clock[1]) * 60 + int(clock[2])
    found = _TIME.fullmatch(text) if text else None
    if found is None:
        raise InvalidCondition(f"“{text[:40]}” is no time; write it as 90 s or 1 min 30 s.")
    hours, minutes, seconds = (int(found[unit] or 0) for unit in "hms")
    return hours * 3600 + minutes * 60 + seconds


def _texts(text: str) -> tuple[str, ...]:
    texts = tuple(part.strip() for part in text.split(",") if part.strip())
    if not texts:
        raise InvalidCondition("Write at least one value; separate several by commas.")
    return texts


def _row(rule: Rule, *, is_or: bool) -> Row:
    for predicate in PREDICATES:
        if (predicate.field, predicate.op) != (rule.field, rule.op):
            continue
        if predicate.asks is not Asks.NOTHING or predicate.value == rule.value:
            return Row(is_or, predicate.key, _typed(predicate, rule))
    raise AssertionError(rule)


def _typed(predicate: Predicate, rule: Rule) -> str:
    if isinstance(rule.value, bool):
        return ""
    if isinstance(rule.value, int):
        return span(rule.value)
    texts = ", ".join(rule.value)
    return f"{rule.name} = {texts}" if predicate.asks is Asks.TAG else texts


def blank_rows(rows: Sequence[Row], spare: int) -> list[Row]:
    """Return rows with some more to fill in."""
    room = max(0, min(spare, MAX_RULES - len(rows)))
    return [*rows, *[Row(False, "", "")] * room]
