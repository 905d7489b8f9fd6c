"""The formatters: steps between a token's value and the payload."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from apps.webhooks.mapping.fields import Formatter
from apps.webhooks.mapping.formatters.dates import DATE
from apps.webhooks.mapping.formatters.numbers import (
    BOOLEAN,
    DURATION,
    ID_NUMBER,
    MILLISECONDS,
    MINUTES,
    NUMBER,
)
from apps.webhooks.mapping.formatters.phones import PHONE
from apps.webhooks.mapping.formatters.spec import (
    FormatterError,
    FormatterSpec,
    Option,
    OptionKind,
    Step,
)
from apps.webhooks.mapping.formatters.words import CASE, ESCAPE, HASH, JOIN, TRUNCATE, VALUE_MAP

FORMATTERS: Mapping[str, FormatterSpec] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            PHONE,
            DATE,
            NUMBER,
            MINUTES,
            MILLISECONDS,
            DURATION,
            ID_NUMBER,
            BOOLEAN,
            CASE,
            TRUNCATE,
            VALUE_MAP,
            JOIN,
            ESCAPE,
            HASH,
        )
    }
)
"""Every formatter by name, in the order in which they are offered."""


def steps(formatters: Sequence[Formatter]) -> list[Step]:
    """The steps of these formatters, in order. Raises FormatterError."""
    return [_spec(formatter.name).step(formatter.options) for formatter in formatters]


def _spec(name: str) -> FormatterSpec:
    spec = FORMATTERS.get(name)
    if spec is None:
        raise FormatterError(f'There is no formatter "{name}"; there are {", ".join(FORMATTERS)}.')
    return spec


__all__ = ["FORMATTERS", "FormatterError", "FormatterSpec", "Option", "OptionKind", "Step", "steps"]
