"""Where the tokens are in a text: `%name%`, `%tags.NAME%`, `%custom.NAME%`; all else is literal.

Percent signs are common in text that is no token. Literal are: a lone percent sign; two hex
digits between percent signs, as in percent-encoded text (`%e2%9c%93`); and what stands between two
encoded characters (`%A9t%` in `%C3%A9t%C3%A9`), unless it is a token's name or close to one.
"""

import re

from apps.webhooks.tokens.catalogue import UnknownToken, find_token
from apps.webhooks.tokens.token import Token

Part = str | Token

_PLACE = re.compile(
    r"%(?![0-9A-Fa-f]{2}%)([A-Za-z][A-Za-z0-9_]{0,99}(?:\.[^%\x00-\x1f\x7f]{1,100})?)%"
)
_HEX_PAIR = re.compile(r"[0-9A-Fa-f]{2}")
_MOST_DOUBTS = 50  # names compared with all others in one text; behind them it is clearly encoded


def split(text: str) -> tuple[Part, ...]:
    """Cut a text into literal strings and tokens, in order; "" gives no parts.

    Raises UnknownToken for a name that no token has.
    """
    parts: list[Part] = []
    literal_start = position = doubts = 0
    while match := _PLACE.search(text, position):
        may_be_encoded = bool(_HEX_PAIR.match(match[1]) and _HEX_PAIR.match(text, match.end()))
        token = _token_or_literal(
            match[1], may_be_encoded=may_be_encoded, is_doubted=doubts < _MOST_DOUBTS
        )
        if token is None:
            doubts += 1
            position = match.end() - 1
            continue
        if match.start() > literal_start:
            parts.append(text[literal_start : match.start()])
        parts.append(token)
        literal_start = position = match.end()
    if literal_start < len(text):
        parts.append(text[literal_start:])
    return tuple(parts)


def _token_or_literal(name: str, *, may_be_encoded: bool, is_doubted: bool) -> Token | None:
    """The token of this name, or None where it is part of percent-encoded text."""
    try:
        return find_token(name)
    except UnknownToken as error:
        if may_be_encoded and (not is_doubted or error.nearest is None):
            return None
        raise
