"""The options of a row: formatters, default, what is sent when empty, and the type."""

import re
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, replace
from typing import Any

from apps.webhooks.mapping import (
    FORMATTERS,
    MOST_FORMATTERS,
    FieldMapping,
    Formatter,
    Kind,
    Option,
    OptionKind,
    ValueType,
    WhenEmpty,
)

_WHOLE = re.compile(r"-?[0-9]{1,9}")
WHEN_EMPTY_LABELS = [
    (WhenEmpty.KEEP.value, "Send it empty"),
    (WhenEmpty.NULL.value, "Send null"),
    (WhenEmpty.OMIT.value, "Leave the field out"),
]
TYPE_LABELS = [
    (ValueType.SAMPLE.value, "As in the sample"),
    (ValueType.STRING.value, "Text"),
    (ValueType.NUMBER.value, "Number"),
    (ValueType.BOOLEAN.value, "True or false"),
    (ValueType.JSON.value, "As the token is (JSON)"),
]


@dataclass(frozen=True, slots=True)
class ShownOption:
    """An option of a formatter with its value as text."""

    option: Option
    value: str


@dataclass(frozen=True, slots=True)
class ShownFormatter:
    """A formatter of a row with its options."""

    index: int
    name: str
    label: str
    options: list[ShownOption]


def shown_formatters(field: FieldMapping) -> list[ShownFormatter]:
    """Return the formatters of a row as its panel shows them."""
    return [
        ShownFormatter(
            index,
            formatter.name,
            spec.label,
            [
                ShownOption(option, _as_text(formatter.options.get(option.name, option.default)))
                for option in spec.options
            ],
        )
        for index, formatter in enumerate(field.formatters)
        if (spec := FORMATTERS.get(formatter.name)) is not None
    ]


def options_posted(posted: MappingOf[str, Any], index: int, field: FieldMapping) -> FieldMapping:
    """Return the field mapping with what its panel says, if that was open."""
    prefix = f"o{index}-"
    if f"{prefix}open" not in posted:
        return field
    names = [str(posted.get(f"{prefix}f{place}", "")) for place in range(MOST_FORMATTERS)]
    formatters = [
        Formatter(name, _options(posted, f"{prefix}f{place}-", name))
        for place, name in enumerate(names)
        if name in FORMATTERS
    ]
    added = str(posted.get(f"{prefix}add", ""))
    if added in FORMATTERS and len(formatters) < MOST_FORMATTERS:
        formatters.append(Formatter(added, _options({}, "", added)))
    changed = replace(
        field,
        formatters=tuple(formatters),
        default=str(posted.get(f"{prefix}default", "")) or None,
        when_empty=_choice(WhenEmpty, posted.get(f"{prefix}when_empty"), field.when_empty),
        type=_choice(ValueType, posted.get(f"{prefix}type"), field.type),
        only_if=str(posted.get(f"{prefix}only_if", "")).strip().strip("%"),
    )
    if field.kind is Kind.REPEAT and f"{prefix}text" in posted:
        changed = replace(changed, text=str(posted[f"{prefix}text"]))
    return changed


def _options(posted: MappingOf[str, Any], prefix: str, name: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for option in FORMATTERS[name].options:
        value = _value(option, posted.get(prefix + option.name))
        if value is not None:
            values[option.name] = value
    return values


def _value(option: Option, typed: object) -> Any:
    """What was typed, or what to begin with; text that is no number stays, to be refused."""
    if typed is None or (typed == "" and option.kind is not OptionKind.TEXT):
        return _first(option) if option.default is None else option.default
    text = str(typed)
    match option.kind:
        case OptionKind.INTEGER:
            return int(text) if _WHOLE.fullmatch(text) else text
        case OptionKind.PAIRS:
            pairs = (line.partition("=") for line in text.splitlines() if line.strip())
            return {left.strip(): right.strip() for left, _, right in pairs}
    return None if text == "" and option.is_optional else text


def _first(option: Option) -> Any:
    if option.is_optional:
        return None
    match option.kind:
        case OptionKind.CHOICE:
            return option.choices[0][0]
        case OptionKind.INTEGER:
            return option.largest
        case OptionKind.PAIRS:
            return {}
    return ""


def _as_text(value: object) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{left} = {right}" for left, right in value.items())
    return "" if value is None else str(value)


def _choice(choices: Any, value: object, default: Any) -> Any:
    return choices(value) if value in {choice.value for choice in choices} else default
