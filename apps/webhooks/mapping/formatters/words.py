"""Words and lists: case, length, hash, value map, join."""

import hashlib
import re
from collections.abc import Callable
from html import escape

from apps.webhooks.mapping.formatters.phones import e164
from apps.webhooks.mapping.formatters.spec import (
    FormatterSpec,
    Option,
    OptionKind,
    Options,
    Step,
)
from apps.webhooks.tokens import Value, as_text, without_surrogates

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_NO_WORD = re.compile(r"[\W_]+")
_MOST_CHARACTERS = 10_000


def _build_case(options: Options) -> Step:
    change = _CASES[options["style"]]
    return lambda value, snapshot: change(as_text(value))


def _build_truncate(options: Options) -> Step:
    length = options["length"]
    return lambda value, snapshot: as_text(value)[:length]


def _build_hash(options: Options) -> Step:
    normalise = _NORMALISATIONS[options["normalise"]]

    def step(value: Value, snapshot: object) -> Value:
        text = normalise(as_text(value))
        return hashlib.sha256(without_surrogates(text).encode()).hexdigest() if text else None

    return step


def _build_map(options: Options) -> Step:
    values, otherwise = options["values"], options["otherwise"]

    def step(value: Value, snapshot: object) -> Value:
        return values.get(as_text(value), value if otherwise is None else otherwise)

    return step


def _build_join(options: Options) -> Step:
    separator, part = options["separator"], options["part"]

    def step(value: Value, snapshot: object) -> Value:
        if isinstance(value, dict):
            return separator.join(f"{key}: {as_text(item)}" for key, item in value.items())
        if not isinstance(value, list):
            return value
        picked = [item.get(part) if part and isinstance(item, dict) else item for item in value]
        return separator.join(as_text(item) for item in picked)

    return step


def _build_escape(options: Options) -> Step:
    return lambda value, snapshot: escape(as_text(value), quote=False)


def _title(text: str) -> str:
    return _WORD.sub(lambda match: match[0].capitalize(), text)


_CASES: dict[str, Callable[[str], str]] = {
    "upper": str.upper,
    "lower": str.lower,
    "title": _title,
    "sentence": str.capitalize,
}
_NORMALISATIONS: dict[str, Callable[[str], str | None]] = {
    "text": lambda text: text.strip().lower(),
    "letters": lambda text: _NO_WORD.sub("", text.lower()),
    "phone": lambda text: (e164(text, "US") or "")[1:],
    "none": lambda text: text,
}

CASE = FormatterSpec(
    "case",
    "Upper and lower case",
    (
        Option(
            "style",
            "Write as",
            OptionKind.CHOICE,
            choices=(
                ("upper", "UPPER CASE"),
                ("lower", "lower case"),
                ("title", "Title Case"),
                ("sentence", "Sentence case"),
            ),
        ),
    ),
    _build_case,
)

TRUNCATE = FormatterSpec(
    "truncate",
    "At most so many characters",
    (Option("length", "Characters", OptionKind.INTEGER, smallest=1, largest=_MOST_CHARACTERS),),
    _build_truncate,
)

HASH = FormatterSpec(
    "hash",
    "SHA-256 hash",
    (
        Option(
            "normalise",
            "Before hashing",
            OptionKind.CHOICE,
            "text",
            choices=(
                ("text", "Trim, lower case"),
                ("letters", "Letters and digits only, lower case (names, cities)"),
                ("phone", "Phone number: digits with country code"),
                ("none", "As it is"),
            ),
        ),
    ),
    _build_hash,
)

ESCAPE = FormatterSpec(
    "escape", "Write &, < and > so that chat and HTML take them as text", (), _build_escape
)

VALUE_MAP = FormatterSpec(
    "map",
    "Replace values",
    (
        Option("values", "Values and what to send for them", OptionKind.PAIRS),
        Option("otherwise", "For any other value", OptionKind.TEXT, largest=1000, is_optional=True),
    ),
    _build_map,
)

JOIN = FormatterSpec(
    "join",
    "Join a list",
    (
        Option("separator", "Between the items", OptionKind.TEXT, ", ", largest=100),
        Option("part", "Part of each item", OptionKind.TEXT, largest=100, is_optional=True),
    ),
    _build_join,
)
