"""Identifiers: UUIDv7 inside, TypeIDs outside.

A row's key is a UUIDv7 (RFC 9562), so keys sort by the time they were made. People and clients see
it as a TypeID: the type's prefix, an underscore, and 26 characters of Crockford's base 32,
`wh_01jd2x…`. The TypeID of a row sorts as its key does. (Source: TypeID specification 0.3.)
"""

import uuid
from typing import Any

from uuid_utils.compat import uuid7

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {char: value for value, char in enumerate(_ALPHABET)}
_SUFFIX_LENGTH = 26
# Two characters at a time: the engine writes an id for each request.
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_SHIFTS = range(120, -1, -10)
_EXAMPLE = "01m7ww1k4peg9a26eq0xre52w7"


class InvalidPublicId(ValueError):
    """The text is not a public id of the wanted type."""


def new_id() -> uuid.UUID:
    """Return a new UUIDv7."""
    return uuid7()


def made_at_s(key: uuid.UUID) -> float:
    """Return when a UUIDv7 was made, in seconds since the epoch."""
    return (key.int >> 80) / 1000


def encode_public_id(prefix: str, key: uuid.UUID) -> str:
    """Return the TypeID of a key, as `wh_01jd2x…`."""
    number = key.int
    pairs, low = _PAIRS, 1023
    return f"{prefix}_{''.join([pairs[(number >> shift) & low] for shift in _SHIFTS])}"


def decode_public_id(prefix: str, text: str) -> uuid.UUID:
    """Return the key behind a TypeID with this prefix; raise InvalidPublicId for anything else."""
    head, separator, suffix = text.rpartition("_")
    if head != prefix or not separator or len(suffix) != _SUFFIX_LENGTH or suffix[0] > "7":
        raise InvalidPublicId(f"{text[:64]!r} is not an id that starts with {prefix}_.")
    number = 0
    for char in suffix:
        value = _VALUES.get(char)
        if value is None:
            raise InvalidPublicId(f"{text[:64]!r} is not an id that starts with {prefix}_.")
        number = number << 5 | value
    return uuid.UUID(int=number)


def id_schema(prefix: str) -> dict[str, Any]:
    """Return how a TypeID of this prefix is described in OpenAPI."""
    return {
        "type": "string",
        "pattern": f"^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$",
        "example": f"{prefix}_{_EXAMPLE}",
    }
