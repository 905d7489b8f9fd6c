"""From any value to the type that a place wants; None where the value is no such thing."""

import re
from decimal import Decimal, InvalidOperation

from apps.webhooks.tokens import Value, as_text

_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,40})(?:\.[0-9]{1,40})?")
_LONGEST_NUMBER = 60
_TRUE = frozenset({"1", "true", "yes", "y", "on"})
_FALSE = frozenset({"0", "false", "no", "n", "off"})


def is_empty(value: Value) -> bool:
    """Whether there is nothing to send: None, "", [] or {}; 0 and false are values."""
    return value is None or value == "" or (isinstance(value, list | dict) and not value)


def number_text(value: Value) -> str | None:
    """A number as JSON writes it: text that is one stays as it is ("34.153500")."""
    if isinstance(value, bool | list | dict):
        return None
    text = as_text(value).strip()
    if _PLAIN_NUMBER.fullmatch(text):
        return text
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if not number.is_finite() or len(text) > _LONGEST_NUMBER or abs(number.adjusted()) > 40:
        return None
    return f"{number:f}"


def boolean(value: Value) -> bool | None:
    """A yes or no: true/false, 1/0, yes/no, y/n, on/off in any case."""
    word = as_text(value).strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None
