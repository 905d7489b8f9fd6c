"""A mapping as plain JSON and back: the form in which it is stored, exported and sent by API.

    [{"path": "$.phone", "kind": "token", "token": "ani", "default": "unknown",
      "formatters": [{"name": "phone", "style": "e164"}], "when_empty": "omit", "type": "string"}]

`path` and `kind` are always there; what has its default value is left out.
"""

from enum import StrEnum
from typing import Any, TypeVar

from apps.webhooks.mapping.errors import MappingError, Problem
from apps.webhooks.mapping.fields import (
    FieldMapping,
    Formatter,
    Kind,
    Mapping,
    ValueType,
    WhenEmpty,
)

_KEYS = frozenset(
    {
        "path",
        "kind",
        "token",
        "text",
        "constant",
        "formatters",
        "default",
        "when_empty",
        "type",
        "only_if",
    }
)
# Field mappings, which are more than a sample has places, and formatters of one of them.
_MOST_FIELDS = 10_000
MOST_FORMATTERS = 6
_Choice = TypeVar("_Choice", bound=StrEnum)


def to_plain(mapping: Mapping) -> list[dict[str, Any]]:
    """The mapping as JSON values."""
    return [_field_to_plain(field) for field in mapping.fields]


def from_plain(plain: object) -> Mapping:
    """Read a mapping from JSON values. Raises MappingError with every problem of its form."""
    if not isinstance(plain, list):
        raise MappingError([Problem("", "A mapping is a list of field mappings.")])
    if len(plain) > _MOST_FIELDS:
        raise MappingError([Problem("", f"A mapping has at most {_MOST_FIELDS:,} fields.")])
    problems: list[Problem] = []
    fields: list[FieldMapping] = []
    seen: set[str] = set()
    for index, item in enumerate(plain):
        field = _Reader(item, f"[{index}]", problems).field()
        if field.path in seen:
            problems.append(Problem(field.path, "This place is mapped twice."))
        seen.add(field.path)
        fields.append(field)
    if problems:
        raise MappingError(problems)
    return Mapping(tuple(fields))


def _field_to_plain(field: FieldMapping) -> dict[str, Any]:
    plain: dict[str, Any] = {"path": field.path, "kind": field.kind.value}
    if field.token:
        plain["token"] = field.token
    if field.text:
        plain["text"] = field.text
    if field.constant is not None:
        plain["constant"] = field.constant
    if field.formatters:
        plain["formatters"] = [{"name": each.name, **each.options} for each in field.formatters]
    if field.default is not None:
        plain["default"] = field.default
    if field.when_empty is not WhenEmpty.KEEP:
        plain["when_empty"] = field.when_empty.value
    if field.type is not ValueType.SAMPLE:
        plain["type"] = field.type.value
    if field.only_if:
        plain["only_if"] = field.only_if
    return plain


class _Reader:
    """Reads one field mapping; what is wrong is noted, and its default taken, to find the rest."""

    def __init__(self, item: object, place: str, problems: list[Problem]) -> None:
        self._problems = problems
        self._place = place
        self._item: dict[str, Any] = item if isinstance(item, dict) else {}
        if not isinstance(item, dict):
            self._note("A field mapping is an object.")
            return
        path = item.get("path")
        if isinstance(path, str) and path:
            self._place = path
        else:
            self._note('A field mapping needs its "path".')
        for key in sorted(self._item.keys() - _KEYS):
            self._note(f'There is no option "{key}" for a field.')

    def field(self) -> FieldMapping:
        return FieldMapping(
            path=self._place,
            kind=self._choice("kind", Kind, Kind.CONSTANT),
            token=self._text("token") or "",
            text=self._text("text") or "",
            constant=self._text("constant"),
            formatters=self._formatters(),
            default=self._text("default"),
            when_empty=self._choice("when_empty", WhenEmpty, WhenEmpty.KEEP),
            type=self._choice("type", ValueType, ValueType.SAMPLE),
            only_if=self._text("only_if") or "",
        )

    def _text(self, key: str) -> str | None:
        value = self._item.get(key)
        if value is None or isinstance(value, str):
            return value
        self._note(f'"{key}" must be text.')
        return None

    def _choice(self, key: str, choices: type[_Choice], default: _Choice) -> _Choice:
        value = self._item.get(key, default.value)
        for choice in choices:
            if choice.value == value:
                return choice
        known = ", ".join(choice.value for choice in choices)
        self._note(f'"{key}" must be one of {known}.')
        return default

    def _formatters(self) -> tuple[Formatter, ...]:
        items = self._item.get("formatters", [])
        if not isinstance(items, list):
            self._note('"formatters" must be a list.')
            return ()
        if len(items) > MOST_FORMATTERS:
            self._note(f"A field has at most {MOST_FORMATTERS} formatters.")
            return ()
        formatters = []
        for item in items:
            if not isinstance(item, dict) or not isinstance(item.get("name"), str):
                self._note('Each formatter is an object with a "name".')
                continue
            options = {key: value for key, value in item.items() if key != "name"}
            formatters.append(Formatter(item["name"], options))
        return tuple(formatters)

    def _note(self, message: str) -> None:
        self._problems.append(Problem(self._place, message))
