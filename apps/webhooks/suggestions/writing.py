"""How a token is written so that it looks like the value in the sample: its formatters."""

import re
from collections.abc import Set as AbstractSet

from apps.common.phones import E164
from apps.webhooks.extraction import Field, FieldType
from apps.webhooks.mapping import Formatter
from apps.webhooks.suggestions.dates import is_in_utc, pattern_of
from apps.webhooks.suggestions.shapes import NAMES, Shape, shape_of
from apps.webhooks.tokens import Token, TokenType, as_text

_PHONE_STYLES = (
    ("e164", re.compile(E164)),
    ("international", re.compile(r"(?:tel:)?\+[0-9][0-9 ()./-]+")),
    ("national", re.compile(r"\([0-9]{3}\) ?[0-9]{3}-[0-9]{4}")),
    ("national", re.compile(r"0[0-9]{1,4}[ /][0-9 /-]+")),
    ("dashes", re.compile(r"[0-9]{3}-[0-9]{3}-[0-9]{4}")),
    ("dots", re.compile(r"[0-9]{3}\.[0-9]{3}\.[0-9]{4}")),
    ("spaces", re.compile(r"[0-9]{3} [0-9]{3} [0-9]{4}")),
    ("digits", re.compile(r"1[-. ]?[0-9]{3}[-. ]?[0-9]{3}[-. ]?[0-9]{4}")),
)
_DURATION_STYLES = (
    ("hh_mm_ss", re.compile(r"[0-9]{2,}:[0-5][0-9]:[0-5][0-9]")),
    ("h_mm_ss", re.compile(r"[0-9]:[0-5][0-9]:[0-5][0-9]")),
    ("mm_ss", re.compile(r"[0-9]{2,}:[0-5][0-9]")),
    ("m_ss", re.compile(r"[0-9]:[0-5][0-9]")),
    ("iso", re.compile(r"PT(?=[0-9])(?:[0-9]+H)?(?:[0-9]+M)?(?:[0-9]+(?:\.[0-9]+)?S)?")),
)
_SPELLINGS = {
    "true": "true_false",
    "false": "true_false",
    "yes": "yes_no",
    "no": "yes_no",
    "y": "y_n",
    "n": "y_n",
    "on": "on_off",
    "off": "on_off",
}
_UNIX_STYLES = {10: "unix", 13: "unix_ms", 16: "unix_us"}
_DIRECTIONS = frozenset({"inbound", "outbound"})
_MILLISECONDS = frozenset({"ms", "msec", "millis", "milliseconds"})
_MINUTES = frozenset({"min", "mins", "minutes", "minuten", "minutos"})


def formatters_for(token: Token, field: Field, words: AbstractSet[str]) -> tuple[Formatter, ...]:
    """How the token is written as the sample value is; `words` are those of the field's name."""
    value = field.sample.strip()
    if shape_of(field) is Shape.HASH:
        kind = "phone" if token.type is TokenType.PHONE else _normalisation(token)
        return (Formatter("hash", {"normalise": kind}),)
    match token.type:
        case TokenType.PHONE:
            return _styled("phone", _PHONE_STYLES, value)
        case TokenType.DATETIME:
            return _date_formatters(token, value)
        case TokenType.BOOLEAN01 if field.type is FieldType.STRING:
            return _boolean_formatters(value)
        case TokenType.INTEGER:
            return _number_formatters(value, words)
    if token.name == "direction" and value.lower() in _DIRECTIONS:
        return _case_formatters(value, "inbound")
    return ()


def _normalisation(token: Token) -> str:
    return "letters" if token.name in NAMES else "text"


def _styled(
    name: str, styles: tuple[tuple[str, re.Pattern[str]], ...], value: str
) -> tuple[Formatter, ...]:
    """The formatter in the first style that writes as the value is written."""
    style = next((style for style, like in styles if like.fullmatch(value)), None)
    return () if style is None else (Formatter(name, {"style": style}),)


def _date_formatters(token: Token, value: str) -> tuple[Formatter, ...]:
    if value.isdecimal() and (style := _UNIX_STYLES.get(len(value))):
        return (Formatter("date", {"style": style}),)
    pattern = pattern_of(value)
    if pattern is None or pattern == pattern_of(as_text(token.example)):
        return ()
    zone = {} if is_in_utc(value) else {"zone": "location"}
    return (Formatter("date", {"style": "custom", "pattern": pattern, **zone}),)


def _boolean_formatters(value: str) -> tuple[Formatter, ...]:
    style = _SPELLINGS.get(value.lower())
    if style is None:
        return ()
    usual = "Y" if style == "y_n" else "yes"
    return (Formatter("boolean", {"style": style}), *_case_formatters(value, usual))


def _number_formatters(value: str, words: AbstractSet[str]) -> tuple[Formatter, ...]:
    if words & _MILLISECONDS:
        return (Formatter("milliseconds"),)
    if words & _MINUTES:
        decimals = len(value.partition(".")[2]) if value.replace(".", "", 1).isdecimal() else 0
        return (Formatter("minutes", {"decimals": min(decimals, 2)} if decimals else {}),)
    return _styled("duration", _DURATION_STYLES, value)


def _case_formatters(value: str, usual: str) -> tuple[Formatter, ...]:
    """The case of the value, where it is another than usual."""
    for style, is_case in (("upper", str.isupper), ("lower", str.islower), ("title", str.istitle)):
        if is_case(value):
            return () if is_case(usual) else (Formatter("case", {"style": style}),)
    return ()
