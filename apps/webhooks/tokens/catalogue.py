"""The catalogue: every token by its name, and the ones that carry a name of the account's own."""

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cached_property
from types import MappingProxyType

from apps.webhooks.tokens.call_tokens import CALL_TOKENS
from apps.webhooks.tokens.caller_tokens import CALLER_TOKENS
from apps.webhooks.tokens.delivery_tokens import DELIVERY_TOKENS
from apps.webhooks.tokens.handling_tokens import HANDLING_TOKENS
from apps.webhooks.tokens.ivr_tokens import IVR_TOKENS, answer_token
from apps.webhooks.tokens.location_tokens import LOCATION_TOKENS
from apps.webhooks.tokens.readers import custom, one_custom_item, text
from apps.webhooks.tokens.session_tokens import SESSION_TOKENS
from apps.webhooks.tokens.token import Category, Token, TokenType
from apps.webhooks.tokens.web_tokens import WEB_TOKENS

TOKENS: Mapping[str, Token] = MappingProxyType(
    {
        token.name: token
        for token in (
            *CALL_TOKENS,
            *HANDLING_TOKENS,
            *CALLER_TOKENS,
            *WEB_TOKENS,
            *SESSION_TOKENS,
            *LOCATION_TOKENS,
            *IVR_TOKENS,
            *DELIVERY_TOKENS,
        )
    }
)
"""Every token of the catalogue by name, in the order in which they are shown."""

_NEAR = 0.75


class UnknownToken(ValueError):
    """A name that no token has. `nearest` is the known name most like it, if any is."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    @cached_property
    def nearest(self) -> str | None:
        return nearest_name(self.name)

    def __str__(self) -> str:
        hint = f" Did you mean %{self.nearest}%?" if self.nearest else ""
        return f"There is no token %{self.name}%.{hint}"


def find_token(name: str) -> Token:
    """The token of this name, with `tags.NAME`, `custom.NAME` and `answer.NUMBER`.

    Raises UnknownToken.
    """
    token = TOKENS.get(name)
    if token is not None:
        return token
    room, _, key = name.partition(".")
    if key and room == "tags":
        return Token(
            name,
            Category.CALL_BEGIN,
            TokenType.STRING,
            f"Tag: {key}",
            f"The tag {key} of the campaign.",
            None,
            text("tags", key),
        )
    if key and room == "custom":
        return Token(
            name,
            Category.CALL_BEGIN,
            TokenType.ANY,
            f"Custom: {key}",
            f"The custom field {key} that the phone platform sent with the call.",
            None,
            custom(key),
            personal=True,
            narrow=one_custom_item(key),
        )
    if room == "answer" and key.isascii() and key.isdigit() and len(key) <= 3:
        return answer_token(key)
    raise UnknownToken(name)


def nearest_name(name: str) -> str | None:
    """The catalogue name most like this one, or None when none is near."""
    matches = get_close_matches(name.lower(), TOKENS, n=1, cutoff=_NEAR)
    return matches[0] if matches else None


def end_only(names: frozenset[str]) -> frozenset[str]:
    """Those of the named tokens that are known only when the call has ended."""
    return frozenset(name for name in names if find_token(name).is_end_only)


def web_session_only(names: frozenset[str]) -> frozenset[str]:
    """Those of the named tokens that only calls of a digital (DNI) campaign have."""
    return frozenset(name for name in names if find_token(name).needs_web_session)
