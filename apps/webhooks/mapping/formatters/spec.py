"""What a formatter is: a step that turns one value into another, with options that are checked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from apps.webhooks.tokens import Snapshot, Value

Step = Callable[[Value, Snapshot], Value]
"""Formats a value that is not empty; None when it cannot. The snapshot is the call's."""

Options = Mapping[str, Any]


class FormatterError(ValueError):
    """A formatter that does not exist, or an option that does not fit."""


class OptionKind(StrEnum):
    """How an option is asked for."""

    CHOICE = "choice"
    INTEGER = "integer"
    TEXT = "text"
    PAIRS = "pairs"


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a formatter. `default` None means that it must be given, unless optional."""

    name: str
    label: str
    kind: OptionKind
    default: Any = None
    choices: tuple[tuple[str, str], ...] = ()
    smallest: int = 0
    largest: int = 0
    is_optional: bool = False

    def take(self, options: Options) -> Any:
        """The option's value, checked. Raises FormatterError."""
        value = options.get(self.name, self.default)
        if value is None and self.is_optional:
            return None
        match self.kind:
            case OptionKind.CHOICE:
                known = [name for name, _ in self.choices]
                self._require(value in known, f"one of {', '.join(known)}")
            case OptionKind.INTEGER:
                is_integer = isinstance(value, int) and not isinstance(value, bool)
                is_fit = is_integer and self.smallest <= value <= self.largest
                self._require(is_fit, f"a whole number from {self.smallest} to {self.largest}")
            case OptionKind.TEXT:
                is_fit = isinstance(value, str) and len(value) <= self.largest
                self._require(is_fit, f"text of at most {self.largest} characters")
            case OptionKind.PAIRS:
                is_fit = isinstance(value, dict) and all(
                    isinstance(part, str) for pair in value.items() for part in pair
                )
                self._require(is_fit, "pairs of texts")
        return value

    def _require(self, is_fit: bool, wanted: str) -> None:
        if not is_fit:
            raise FormatterError(f'"{self.name}" must be {wanted}.')


@dataclass(frozen=True, slots=True)
class FormatterSpec:
    """A kind of formatter: its name, what people read, its options, and how to build its step.

    `build` takes the options' checked values by name; it may raise FormatterError.
    """

    name: str
    label: str
    options: tuple[Option, ...]
    build: Callable[[Options], Step]

    def step(self, options: Options) -> Step:
        """The step for these options. Raises FormatterError."""
        unknown = sorted(options.keys() - {option.name for option in self.options})
        if unknown:
            raise FormatterError(f'The formatter {self.name} has no option "{unknown[0]}".')
        return self.build({option.name: option.take(options) for option in self.options})
