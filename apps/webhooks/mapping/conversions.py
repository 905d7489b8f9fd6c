"""From any value to the type that a place wants; None where the value is no such thing."""

import re
from decimal import Decimal, InvalidOperation

from apps.webhooks.extraction import FieldType
from apps.webhooks.mapping.fields import FieldMapping, Kind, ValueType
from apps.webhooks.tokens import TokenType, Value, as_text, find_token

_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,40})(?:\.[0-9]{1,40})?")
_LONGEST_NUMBER = 60
_LARGEST_EXPONENT = 40
_TRUE = frozenset({"1", "true", "yes", "y", "on"})
_FALSE = frozenset({"0", "false", "no", "n", "off"})


def is_empty(value: Value) -> bool:
    """Whether there is nothing to send: None, "", [] or {}; 0 and false are values."""
    return value is None or value == "" or (isinstance(value, list | dict) and not value)


def number(value: Value) -> Decimal | None:
    """A number of at most 40 digits before and after the point."""
    if isinstance(value, bool | list | dict):
        return None
    text = as_text(value).strip()
    if len(text) > _LONGEST_NUMBER:
        return None
    try:
        parsed = Decimal(text)
    except InvalidOperation:
        return None
    if not parsed.is_finite() or abs(parsed.adjusted()) > _LARGEST_EXPONENT:
        return None
    return parsed


def number_text(value: Value) -> str | None:
    """A number as JSON writes it: text that is one stays as it is ("34.153500")."""
    if isinstance(value, str) and _PLAIN_NUMBER.fullmatch(value):
        return value
    parsed = number(value)
    return None if parsed is None else f"{parsed:f}"


def boolean(value: Value) -> bool | None:
    """A yes or no: true/false, 1/0, yes/no, y/n, on/off in any case."""
    word = as_text(value).strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None


def is_yes(value: Value) -> bool:
    """Whether a value is there and is no "no": what a place that is sent only if asks."""
    return not is_empty(value) and boolean(value) is not False


def boolean_text(value: Value) -> str | None:
    """A yes or no as JSON writes it."""
    is_true = boolean(value)
    return None if is_true is None else "true" if is_true else "false"


def wanted_type(mapping: FieldMapping, at: FieldType) -> ValueType:
    """What a place is sent as, the sample's own type resolved.

    `sample` remains for text places, where nested tokens stay nested. A place whose sample says
    nothing about scalars (null, list, object) takes text constants, and tokens as they are.
    `json` remains where the value itself decides.
    """
    if mapping.type not in (ValueType.SAMPLE, ValueType.JSON):
        return mapping.type
    if mapping.type is ValueType.SAMPLE and at in _SAMPLE_TYPES:
        return _SAMPLE_TYPES[at]
    if mapping.kind is Kind.CONSTANT:
        return ValueType.JSON if mapping.type is ValueType.JSON else ValueType.STRING
    return _NATURAL_TYPES.get(natural_type(mapping), ValueType.JSON)


def natural_type(mapping: FieldMapping) -> TokenType:
    """What the value of a place is by itself: its token's type, or text."""
    if mapping.kind is Kind.TOKEN and not mapping.formatters:
        return find_token(mapping.token).type
    return TokenType.STRING


_SAMPLE_TYPES = {
    FieldType.NUMBER: ValueType.NUMBER,
    FieldType.BOOLEAN: ValueType.BOOLEAN,
    FieldType.STRING: ValueType.SAMPLE,
}
_NATURAL_TYPES = {
    TokenType.INTEGER: ValueType.NUMBER,
    TokenType.NUMBER: ValueType.NUMBER,
    TokenType.BOOLEAN01: ValueType.BOOLEAN,
}
