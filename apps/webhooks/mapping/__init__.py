"""The mapping: what fills each place of a sample, its plain form, and the one a sample brings."""

from apps.webhooks.mapping.auto import auto_map
from apps.webhooks.mapping.check import check, find_problems
from apps.webhooks.mapping.errors import MappingError, Problem
from apps.webhooks.mapping.fields import (
    FieldMapping,
    Formatter,
    Kind,
    Mapping,
    ValueType,
    WhenEmpty,
)
from apps.webhooks.mapping.formatters import (
    FORMATTERS,
    FormatterError,
    FormatterSpec,
    Option,
    OptionKind,
    steps,
)
from apps.webhooks.mapping.plain import MOST_FORMATTERS, from_plain, to_plain

__all__ = [
    "FORMATTERS",
    "MOST_FORMATTERS",
    "FieldMapping",
    "Formatter",
    "FormatterError",
    "FormatterSpec",
    "Kind",
    "Mapping",
    "MappingError",
    "Option",
    "OptionKind",
    "Problem",
    "ValueType",
    "WhenEmpty",
    "auto_map",
    "check",
    "find_problems",
    "from_plain",
    "steps",
    "to_plain",
]
