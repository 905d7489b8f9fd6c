"""What the value in a sample looks like: evidence for or against a token, and how to write it."""

import re
from enum import StrEnum
from functools import lru_cache

from apps.common.phones import E164
from apps.webhooks.extraction import Field, FieldType
from apps.webhooks.mapping import Formatter
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


_PATTERNS = (
    (Shape.HASH, re.compile(r"[0-9a-fA-F]{64}")),
    (Shape.EMAIL, re.compile(r"[^@\s%]+@[^@\s%]+\.[^@\s%]+")),
    (Shape.RECORDING, re.compile(r"https?://\S+\.(?:mp3|wav)(?:\?\S*)?", re.IGNORECASE)),
    (Shape.URL, re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)),
    (Shape.MOMENT, re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.]+ ?(?:Z|[-+][0-9:]+)?)?")),
    (Shape.MOMENT, re.compile(r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}(?: [0-9:]+ ?(?:[AaPp][Mm])?)?")),
    (Shape.UNIX, re.compile(r"1[0-9]{9}(?:[0-9]{3}|[0-9]{6})?")),
    (Shape.IP, re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}")),
    (Shape.VIN, re.compile(r"(?=.*[0-9])(?=.*[A-Z])[A-HJ-NPR-Z0-9]{17}")),
    (Shape.PHONE, re.compile(r"\+?[0-9]{10,15}|(?:\+|\()[0-9][0-9 ()./-]{7,20}")),
    (Shape.PHONE, re.compile(r"(?:1[-. ])?[0-9]{3}[-. ][0-9]{3,4}[-. ][0-9]{4}|555-?[0-9]{4}")),
    (Shape.NUMBER, re.compile(r"-?[0-9]+(?:\.[0-9]+)?")),
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
_NEVER_TEXT = {Shape.BOOLEAN}
_NAMES = {"ani_full_name", "ani_first_name", "ani_middle_name", "ani_last_name", "ani_city"}
_FITS_OF_TOKEN = {
    **{name: {Shape.TEXT, Shape.HASH} for name in _NAMES},
    "ani_email": {Shape.EMAIL, Shape.TEXT, Shape.HASH},
    "visitor_ip_address": {Shape.IP, Shape.TEXT},
    "vehicle_vin": {Shape.VIN, Shape.TEXT},
}

_PHONE_STYLES = (
    ("e164", re.compile(E164)),
    ("national", re.compile(r"\([0-9]{3}\) ?[0-9]{3}-[0-9]{4}")),
    ("digits", re.compile(r"1[0-9]{10}")),
)
_DATE_PATTERNS = (
    (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), "yyyy-MM-dd"),
    (re.compile(r"[0-9-]{10} [0-9]{2}:[0-9]{2}"), "yyyy-MM-dd HH:mm"),
    (re.compile(r"[0-9-]{10} [0-9]{2}:[0-9]{2}:[0-9]{2}"), "yyyy-MM-dd HH:mm:ss"),
    (re.compile(r"[0-9-]{10}T[0-9]{2}:[0-9]{2}:[0-9]{2}"), "yyyy-MM-dd'T'HH:mm:ss"),
    (re.compile(r"[0-9-]{10}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"), "yyyy-MM-dd'T'HH:mm:ss'Z'"),
    (re.compile(r"[0-9-]{10}T[0-9:]{8}[-+][0-9]{2}:[0-9]{2}"), "yyyy-MM-dd'T'HH:mm:ssXXX"),
    (re.compile(r"[0-9]{2}/[0-9]{2}/[0-9]{4}"), "MM/dd/yyyy"),
    (re.compile(r"[0-9]{2}/[0-9]{2}/[0-9]{4} [0-9]{2}:[0-9]{2}"), "MM/dd/yyyy HH:mm"),
    (re.compile(r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{4} [0-9]{1,2}:[0-9]{2} [AP]M"), "M/d/yyyy h:mm a"),
)
_UNIX_STYLES = {10: "unix", 13: "unix_ms", 16: "unix_us"}
_MILLISECONDS = frozenset({"ms", "msec", "millis", "milliseconds"})
_MINUTES = frozenset({"min", "mins", "minutes", "minuten", "minutos"})


@lru_cache(maxsize=8192)
def shape_of(field: Field) -> Shape:
    """What the sample value of a field looks like; a token in it looks like nothing."""
    value = field.sample.strip()
    if field.type is FieldType.BOOLEAN:
        return Shape.BOOLEAN
    if not value or "%" in value or field.type in (FieldType.OBJECT, FieldType.ARRAY):
        return Shape.NOTHING
    if len(value) > _LONGEST:
        return Shape.TEXT
    return next((shape for shape, like in _PATTERNS if like.fullmatch(value)), Shape.TEXT)


def fits(token: Token, shape: Shape) -> bool:
    """Whether a value of this shape can stand where the token belongs."""
    if shape is Shape.NOTHING:
        return True
    wanted = _FITS_OF_TOKEN.get(token.name) or _FITS.get(token.type)
    return shape in wanted if wanted else shape not in _NEVER_TEXT


def formatters_for(token: Token, field: Field, words: frozenset[str]) -> tuple[Formatter, ...]:
    """How the token is written as the sample value is; `words` are those of the field's name."""
    value = field.sample.strip()
    if shape_of(field) is Shape.HASH:
        kind = "phone" if token.type is TokenType.PHONE else _normalisation(token)
        return (Formatter("hash", {"normalise": kind}),)
    match token.type:
        case TokenType.PHONE:
            for style, pattern in _PHONE_STYLES:
                if pattern.fullmatch(value):
                    return (Formatter("phone", {"style": style}),)
        case TokenType.DATETIME:
            return _date_formatters(value)
        case TokenType.BOOLEAN01 if field.type is FieldType.STRING:
            if value.lower() in ("true", "false"):
                return (Formatter("boolean", {"style": "true_false"}),)
            if value.lower() in ("yes", "no"):
                return (Formatter("boolean", {"style": "yes_no"}),)
        case TokenType.INTEGER if words & _MILLISECONDS:
            return (Formatter("milliseconds"),)
        case TokenType.INTEGER if words & _MINUTES:
            return (Formatter("minutes"),)
    return ()


def _normalisation(token: Token) -> str:
    return "letters" if token.name in _NAMES else "text"


def _date_formatters(value: str) -> tuple[Formatter, ...]:
    if value.isdecimal():
        style = _UNIX_STYLES.get(len(value))
        return (Formatter("date", {"style": style}),) if style else ()
    for like, pattern in _DATE_PATTERNS:
        if like.fullmatch(value):
            zone = {} if value.endswith("Z") else {"zone": "location"}
            return (Formatter("date", {"style": "custom", "pattern": pattern, **zone}),)
    return ()
