"""Conditions: for which calls an attachment sends. Pure.

A condition is a rule about the call, or a group of conditions of which all or any must hold. In its
plain form, as it is stored and sent by the API, a rule is an object and a group has one key:

    {"all": [{"field": "answered", "op": "is", "value": true},
             {"any": [{"field": "talk_s", "op": "at_least", "value": 60},
                      {"field": "tag", "name": "Region", "op": "is", "value": ["south"]}]}]}

Each field knows its operators and the kind of its value; see `FIELDS`.
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from apps.accounts.business_hours import is_open

MAX_DEPTH = 4
MAX_RULES = 30
MAX_VALUES = 50
MAX_CHARACTERS = 120
MAX_SECONDS = 86_400
_AREA = re.compile(r"\+?[0-9]{1,9}")
_NANP = re.compile(r"\+1[2-9][0-9]{9}")


class InvalidCondition(ValueError):
    """Conditions that can not be used; the message is for people.

    `place` is the pointer of the faulty part inside the plain form, "" for the whole.
    """

    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(message)
        self.place = place


class Op(StrEnum):
    """How a field is compared."""

    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    IS = "is"
    IS_NOT = "is_not"


class ValueKind(StrEnum):
    """What a field is compared with."""

    SECONDS = "seconds"
    FLAG = "flag"
    TEXTS = "texts"
    AREAS = "areas"


@dataclass(frozen=True, slots=True)
class ConditionField:
    """Something of a call that rules are about. `is_late`: it is not known at the begin."""

    name: str
    kind: ValueKind
    is_late: bool = False
    has_name: bool = False

    @property
    def ops(self) -> tuple[Op, ...]:
        """The operators that make sense for it."""
        match self.kind:
            case ValueKind.SECONDS:
                return (Op.AT_LEAST, Op.AT_MOST)
            case ValueKind.FLAG:
                return (Op.IS,)
        return (Op.IS, Op.IS_NOT)


FIELDS = {
    each.name: each
    for each in (
        ConditionField("duration_s", ValueKind.SECONDS, is_late=True),
        ConditionField("talk_s", ValueKind.SECONDS, is_late=True),
        ConditionField("answered", ValueKind.FLAG, is_late=True),
        ConditionField("repeat_caller", ValueKind.FLAG),
        ConditionField("business_hours", ValueKind.FLAG),
        ConditionField("tag", ValueKind.TEXTS, has_name=True),
        ConditionField("campaign", ValueKind.TEXTS),
        ConditionField("area_code", ValueKind.AREAS),
        ConditionField("source", ValueKind.TEXTS),
    )
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A field compared with a value: seconds, yes or no, or any of some texts."""

    field: str
    op: Op
    value: int | bool | tuple[str, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions of which all must hold, or any. One without parts always holds."""

    is_any: bool = False
    of: tuple["Rule | Group", ...] = ()

    @property
    def key(self) -> str:
        """What the plain form calls it."""
        return "any" if self.is_any else "all"


Condition = Rule | Group
ALWAYS = Group()


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What rules ask of a call; None where it is not known."""

    duration_s: int | None = None
    talk_s: int | None = None
    answered: bool | None = None
    repeat_caller: bool | None = None
    business_hours: bool | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    campaign: str = ""
    caller: str = ""
    source: str = ""


def facts_of(
    snapshot: Mapping[str, Any], *, occurred_at: dt.datetime, hours: Mapping[str, Any]
) -> CallFacts:
    """Return the facts of a call as it was at an event; `hours` are those of its location.

    Business hours are asked at the start of the call, and at the event where that is not known.
    """
    status, visitor = snapshot.get("status"), _object(snapshot, "visitor")
    location = _object(snapshot, "location")
    tags = _object(snapshot, "tags").items()
    return CallFacts(
        duration_s=_whole(snapshot.get("duration_s")),
        talk_s=_whole(snapshot.get("talk_s")),
        answered=None if not status else status == "answered",
        repeat_caller=bool(snapshot.get("repeat_caller")),
        business_hours=is_open(
            hours, _started(snapshot) or occurred_at, location.get("time_zone") or "UTC"
        ),
        tags={str(name).casefold(): str(value).casefold() for name, value in tags},
        campaign=str(_object(snapshot, "campaign").get("name") or "").casefold(),
        caller=str(snapshot.get("from") or ""),
        source=str(visitor.get("utm_source") or visitor.get("referral_domain") or "").casefold(),
    )


def has_come(wait: str, call: Mapping[str, Any]) -> bool:
    """Tell whether a call, or what an event says of one, has its recording or its transcript."""
    if wait == "recording":
        recording = _object(call, "recording")
        return bool(recording.get("url") or recording.get("wav_url"))
    return bool(call.get("transcript"))


def holds(condition: Condition, facts: CallFacts) -> bool:
    """Tell whether a condition holds of a call.

    A time or a yes-or-no that is not known fits nothing; a text that is not known is not any text.
    """
    if isinstance(condition, Group):
        if not condition.of:
            return True
        parts = (holds(part, facts) for part in condition.of)
        return any(parts) if condition.is_any else all(parts)
    return _rule_holds(condition, facts)


def first_failing(condition: Condition, facts: CallFacts) -> Condition | None:
    """Return the first part for which a condition does not hold; None where it does.

    Of parts of which one would do it is the whole group.
    """
    if holds(condition, facts):
        return None
    if isinstance(condition, Rule) or condition.is_any:
        return condition
    return next(found for part in condition.of if (found := first_failing(part, facts)))


def rules_of(condition: Condition) -> list[Rule]:
    """Return every rule inside a condition."""
    return list(placed_rules(condition).values())


def placed_rules(condition: Condition, place: str = "") -> dict[str, Rule]:
    """Return every rule inside a condition, by its pointer in the plain form."""
    if isinstance(condition, Rule):
        return {place: condition}
    return {
        within: rule
        for index, part in enumerate(condition.of)
        for within, rule in placed_rules(part, f"{place}/{condition.key}/{index}").items()
    }


def condition_from(plain: object) -> Condition:
    """Read the plain form; an empty object always holds. Raises InvalidCondition."""
    if plain == {}:
        return ALWAYS
    condition = _read(plain, 1)
    if len(rules_of(condition)) > MAX_RULES:
        raise InvalidCondition(f"There are more than {MAX_RULES} conditions.")
    return condition


def to_plain(condition: Condition) -> dict[str, Any]:
    """Return the plain form."""
    if isinstance(condition, Group):
        if not condition.of:
            return {}
        return {condition.key: [to_plain(part) for part in condition.of]}
    value = list(condition.value) if isinstance(condition.value, tuple) else condition.value
    plain: dict[str, Any] = {"field": condition.field, "op": condition.op.value, "value": value}
    return {**plain, "name": condition.name} if condition.name else plain


def _read(plain: object, depth: int) -> Condition:
    if not isinstance(plain, dict):
        raise InvalidCondition("A condition is an object.")
    if depth > MAX_DEPTH:
        raise InvalidCondition(f"Conditions are nested at most {MAX_DEPTH} levels deep.")
    if "field" in plain:
        return _read_rule(plain)
    if len(plain) != 1 or not set(plain) <= {"all", "any"}:
        raise InvalidCondition("A group has one key, all or any; a rule has a field.")
    ((key, parts),) = plain.items()
    if not isinstance(parts, list) or not parts:
        raise InvalidCondition(f"“{key}” has a list of at least one condition.")
    if len(parts) > MAX_RULES:
        raise InvalidCondition(f"There are more than {MAX_RULES} conditions.")
    return Group(
        key == "any",
        tuple(_read_part(part, depth + 1, f"/{key}/{index}") for index, part in enumerate(parts)),
    )


def _read_part(plain: object, depth: int, place: str) -> Condition:
    try:
        return _read(plain, depth)
    except InvalidCondition as fault:
        raise InvalidCondition(str(fault), place + fault.place) from None


def _read_rule(plain: dict[str, Any]) -> Rule:
    known = FIELDS.get(plain["field"]) if isinstance(plain["field"], str) else None
    if known is None:
        raise InvalidCondition(f"There is nothing to compare called {str(plain['field'])[:40]!r}.")
    if unknown := sorted(set(map(str, plain)) - {"field", "op", "value", "name"}):
        raise InvalidCondition(f"A rule has no {unknown[0][:40]!r}.")
    if plain.get("op") not in list(known.ops):
        raise InvalidCondition(f"“{known.name}” is compared by {' or '.join(known.ops)}.")
    name = plain.get("name", "")
    if not isinstance(name, str) or bool(name.strip()) != known.has_name:
        raise InvalidCondition(
            "A tag needs its name." if known.has_name else f"“{known.name}” takes no name."
        )
    if len(name) > MAX_CHARACTERS:
        raise InvalidCondition(f"The name of a tag has at most {MAX_CHARACTERS} characters.")
    return Rule(known.name, Op(plain["op"]), _value(known, plain.get("value")), name.strip())


def _value(known: ConditionField, value: object) -> int | bool | tuple[str, ...]:
    match known.kind:
        case ValueKind.SECONDS:
            if type(value) is int and 0 <= value <= MAX_SECONDS:
                return value
            raise InvalidCondition(f"“{known.name}” takes 0 to {MAX_SECONDS:,} seconds.")
        case ValueKind.FLAG:
            if isinstance(value, bool):
                return value
            raise InvalidCondition(f"“{known.name}” takes true or false.")
    texts = value if isinstance(value, list) else []
    if not 0 < len(texts) <= MAX_VALUES or not all(_is_text(each) for each in texts):
        raise InvalidCondition(
            f"“{known.name}” takes a list of 1 to {MAX_VALUES} texts of at most"
            f" {MAX_CHARACTERS} characters."
        )
    if known.kind is ValueKind.AREAS and not all(_AREA.fullmatch(each.strip()) for each in texts):
        raise InvalidCondition("An area code is digits, or + and the first digits of numbers.")
    return tuple(each.strip() for each in texts)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= MAX_CHARACTERS


def _rule_holds(rule: Rule, facts: CallFacts) -> bool:
    if isinstance(rule.value, tuple):
        return (rule.op is Op.IS) == _is_one_of(rule, rule.value, facts)
    actual = getattr(facts, rule.field)
    if actual is None:
        return False
    if isinstance(rule.value, bool):
        return bool(actual) is rule.value
    return bool(actual >= rule.value if rule.op is Op.AT_LEAST else actual <= rule.value)


def _is_one_of(rule: Rule, values: tuple[str, ...], facts: CallFacts) -> bool:
    match rule.field:
        case "area_code":
            return any(_is_from(facts.caller, value) for value in values)
        case "tag":
            actual = facts.tags.get(rule.name.casefold())
        case _:
            actual = getattr(facts, rule.field)
    return actual in {value.casefold() for value in values}


def _is_from(caller: str, area: str) -> bool:
    if area.startswith("+"):
        return caller.startswith(area)
    return bool(_NANP.fullmatch(caller)) and caller[2:].startswith(area)


def _object(snapshot: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = snapshot.get(name)
    return value if isinstance(value, dict) else {}


def _whole(value: object) -> int | None:
    return value if type(value) is int else None


def _started(snapshot: Mapping[str, Any]) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(snapshot.get("started_at") or "")
    except (TypeError, ValueError):
        return None
