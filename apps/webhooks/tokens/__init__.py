"""The tokens: named values of a call, how each reads itself, and how text refers to them."""

from apps.webhooks.tokens.catalogue import (
    TOKENS,
    UnknownToken,
    end_only,
    find_token,
    nearest_name,
    web_session_only,
)
from apps.webhooks.tokens.example import EXAMPLE_SNAPSHOT
from apps.webhooks.tokens.grammar import Part, split
from apps.webhooks.tokens.token import Category, Token, TokenType
from apps.webhooks.tokens.values import Snapshot, Value, as_json, as_text, without_surrogates

__all__ = [
    "EXAMPLE_SNAPSHOT",
    "TOKENS",
    "Category",
    "Part",
    "Snapshot",
    "Token",
    "TokenType",
    "UnknownToken",
    "Value",
    "as_json",
    "as_text",
    "end_only",
    "find_token",
    "nearest_name",
    "split",
    "web_session_only",
    "without_surrogates",
]
