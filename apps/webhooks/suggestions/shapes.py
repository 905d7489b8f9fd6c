"""What the value in a sample looks like: evidence for or against a token."""

import re
from enum import StrEnum
from functools import lru_cache
from typing import Final

from apps.webhooks.extraction import Field, FieldType
from apps.webhooks.suggestions.dates import looks_like_a_moment
from apps.webhooks.suggestions.names import placeholder_steps
from apps.webhooks.tokens import Token, TokenType


class Shape(StrEnum):
    """What a sample value looks like, in words that finish "the sample value looks like ..."."""

    NOTHING = "nothing"
    TEXT = "text"
    NUMBER = "a number"
    BOOLEAN = "a yes or no"
    PHONE = "a phone number"
    EMAIL = "an e-mail address"
    RECORDING = "the address of a recording"
    URL = "a web address"
    MOMENT = "a date or time"
    UNIX = "a Unix time"
    IP = "an IP address"
    VIN = "a vehicle identification number"
    HASH = "a SHA-256 hash"
    LINE_TYPE = "a kind of phone line"


_PATTERNS = (
    (Shape.HASH, re.compile(r"[0-9a-fA-F]{64}")),
    (Shape.EMAIL, re.compile(r"[^@\s%]+@[^@\s%]+\.[^@\s%]+")),
    (Shape.RECORDING, re.compile(r"https?://\S+\.(?:mp3|wav)(?:\?\S*)?", re.IGNORECASE)),
    (Shape.URL, re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)),
    (Shape.UNIX, re.compile(r"1[0-9]{9}(?:[0-9]{3}|[0-9]{6})?")),
    (Shape.IP, re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}")),
    (Shape.VIN, re.compile(r"(?=.*[0-9])(?=.*[A-Z])[A-HJ-NPR-Z0-9]{17}")),
    (Shape.PHONE, re.compile(r"(?:tel:)?(?:\+?[0-9]{10,15}|(?:\+|\()[0-9][0-9 ()./-]{7,20})")),
    (Shape.PHONE, re.compile(r"0[0-9]{1,4}[ /][0-9][0-9 /-]{3,12}")),
    (Shape.PHONE, re.compile(r"(?:1[-. ])?[0-9]{3}[-. ][0-9]{3,4}[-. ][0-9]{4}|555-?[0-9]{4}")),
    (Shape.NUMBER, re.compile(r"-?[0-9]+(?:\.[0-9]+)?")),
    (Shape.LINE_TYPE, re.compile(r"mobile|cell|wireless|land ?line|fixed|voip", re.IGNORECASE)),
    (Shape.BOOLEAN, re.compile(r"true|false|yes|no", re.IGNORECASE)),
)
_LONGEST = 300

# What a value may look like where a token of this type belongs; others are evidence against it.
_FITS = {
    TokenType.PHONE: {Shape.PHONE, Shape.TEXT, Shape.NUMBER, Shape.HASH, Shape.UNIX},
    TokenType.DATETIME: {Shape.MOMENT, Shape.UNIX, Shape.TEXT, Shape.NUMBER, Shape.PHONE},
    TokenType.INTEGER: {Shape.NUMBER, Shape.TEXT},
    TokenType.NUMBER: {Shape.NUMBER, Shape.TEXT},
    TokenType.BOOLEAN01: {Shape.BOOLEAN, Shape.NUMBER, Shape.TEXT},
    TokenType.URL: {Shape.URL, Shape.RECORDING, Shape.TEXT},
}
_NEVER_TEXT = {Shape.BOOLEAN, Shape.EMAIL}
NAMES: Final = {"ani_full_name", "ani_first_name", "ani_middle_name", "ani_last_name", "ani_city"}
_FITS_OF_TOKEN = {
    **{name: {Shape.TEXT, Shape.HASH} for name in NAMES},
    "ani_email": {Shape.EMAIL, Shape.TEXT, Shape.HASH},
    "visitor_ip_address": {Shape.IP, Shape.TEXT},
    "vehicle_vin": {Shape.VIN, Shape.TEXT},
}


@lru_cache(maxsize=8192)
def shape_of(field: Field) -> Shape:
    """What the sample value of a field looks like; a token or placeholder looks like nothing."""
    value = field.sample.strip()
    if field.type is FieldType.BOOLEAN:
        return Shape.BOOLEAN
    if (
        not value
        or "%" in value
        or placeholder_steps(value)
        or field.type in (FieldType.OBJECT, FieldType.ARRAY)
    ):
        return Shape.NOTHING
    if len(value) > _LONGEST:
        return Shape.TEXT
    if looks_like_a_moment(value):
        return Shape.MOMENT
    return next((shape for shape, like in _PATTERNS if like.fullmatch(value)), Shape.TEXT)


def fits(token: Token, shape: Shape) -> bool:
    """Whether a value of this shape can stand where the token belongs."""
    if shape is Shape.NOTHING:
        return True
    wanted = _FITS_OF_TOKEN.get(token.name) or _FITS.get(token.type)
    return shape in wanted if wanted else shape not in _NEVER_TEXT
