"""The mapping of a template: what fills each place of its sample."""

from collections.abc import Iterable
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from apps.webhooks.tokens import Token, find_token, split


class Kind(StrEnum):
    """What fills a place."""

    TOKEN = "token"  # noqa: S105 - a word of the domain, not a secret
    CONSTANT = "constant"
    TEXT = "text"
    REPEAT = "repeat"
    OMIT = "omit"


class WhenEmpty(StrEnum):
    """What is sent when there is neither a value nor a default."""

    KEEP = "keep"
    NULL = "null"
    OMIT = "omit"


class ValueType(StrEnum):
    """What a value is sent as.

    `sample` follows the sample: text stays text (nested tokens stay nested), a number stays a
    number. `json` sends what the token is by itself; for a constant, the JSON that is written.
    """

    SAMPLE = "sample"
    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Formatter:
    """A step between a token's value and the payload, by name, with its options."""

    name: str
    options: MappingOf[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """What fills the place at `path`.

    `token` is the name for the kinds token and repeat, `text` the text of kind text, and what
    each item of a repeated XML leaf holds. `constant` is the value of kind constant (None: as in
    the sample). `formatters` apply in order; a value that
    one of them cannot take counts as missing. `default` is sent, unformatted, instead of a
    missing or empty value; without one, `when_empty` decides. `only_if` names a token: where it has
    no value, or a no (0, false), the place and all that is in it is left out; where `when_empty` is
    null, JSON has null there.
    """

    path: str
    kind: Kind = Kind.CONSTANT
    token: str = ""
    text: str = ""
    constant: str | None = None
    formatters: tuple[Formatter, ...] = ()
    default: str | None = None
    when_empty: WhenEmpty = WhenEmpty.KEEP
    type: ValueType = ValueType.SAMPLE
    only_if: str = ""

    @property
    def is_as_sample(self) -> bool:
        """Whether the place keeps what stands in the sample."""
        return self.kind is Kind.CONSTANT and self.constant is None and not self.only_if

    @property
    def tokens(self) -> frozenset[str]:
        """The names of the tokens that this place reads. Raises UnknownToken."""
        names: set[str] = set()
        if self.kind in (Kind.TOKEN, Kind.REPEAT):
            names.add(find_token(self.token).name)
        if self.kind in (Kind.TEXT, Kind.REPEAT):
            names.update(part.name for part in split(self.text) if isinstance(part, Token))
        if self.only_if:
            names.add(find_token(self.only_if).name)
        return frozenset(names)


@dataclass(frozen=True)
class Mapping:
    """The mappings of a template's places; a place without one stays as in the sample."""

    fields: tuple[FieldMapping, ...] = ()

    def get(self, path: str) -> FieldMapping:
        """What fills the place at this path."""
        return self._by_path.get(path) or FieldMapping(path)

    def replaced(self, fields: Iterable[FieldMapping]) -> "Mapping":
        """A copy in which these field mappings replace those of the same paths, or are added."""
        return Mapping(tuple((self._by_path | {each.path: each for each in fields}).values()))

    @cached_property
    def tokens(self) -> frozenset[str]:
        """The names of all tokens that are read. Raises UnknownToken."""
        return frozenset(name for each in self.fields for name in each.tokens)

    @cached_property
    def _by_path(self) -> dict[str, FieldMapping]:
        return {each.path: each for each in self.fields}
