"""What a token can read from a call, and the two ways to write it: as text and as JSON.

Values come from outside (caller names, custom fields), so everything here takes any JSON value
and never raises: what a payload cannot hold is replaced by U+FFFD or null.
"""

import re
from collections.abc import Mapping
from typing import Any

import orjson

Snapshot = Mapping[str, Any]
"""The call as an event kept it: a plain JSON object in which every key is optional."""

Value = Any
"""What a token reads: text for every scalar of the catalogue, a list or an object for nested
ones, any JSON value for `custom.*`; None where the call does not have it."""

_MAX_DEPTH = 100
_SURROGATES = re.compile("[\ud800-\udfff]")


def as_text(value: Value) -> str:
    """Write any value as text: "" for None, `true`/`false`, compact JSON for nested values."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return as_json(value).decode()


def as_json(value: Value) -> bytes:
    """Write any value as compact JSON in UTF-8; lone surrogates become U+FFFD, NaN becomes null."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return orjson.dumps(_cleaned(value, _MAX_DEPTH))


def without_surrogates(text: str) -> str:
    """Replace lone surrogates, which no encoding can carry, by U+FFFD."""
    return _SURROGATES.sub("\ufffd", text)


def _cleaned(value: Value, depth: int) -> Value:
    """Copy what orjson refuses: surrogates, integers over 64 bits, nesting over its limit."""
    if isinstance(value, str):
        return without_surrogates(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return orjson.Fragment(str(value))
    if depth == 0:
        return None
    if isinstance(value, dict):
        return {without_surrogates(str(k)): _cleaned(v, depth - 1) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(item, depth - 1) for item in value]
    return value if isinstance(value, bool | float) or value is None else str(value)
