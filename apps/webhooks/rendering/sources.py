"""Where the value of a mapped place comes from: the token or text, then its formatters."""

from collections.abc import Sequence

from apps.webhooks.mapping.fields import FieldMapping, Kind, Mapping
from apps.webhooks.tokens import Part, Snapshot, Token, TokenType, Value, as_text, find_token, split
from apps.webhooks.tokens.readers import Reader


def source(mapping: FieldMapping) -> Reader:
    """The value of a place filled by a token or a text, before its default and its type."""
    if mapping.kind is Kind.TOKEN:
        return find_token(mapping.token).read
    return text_of(split(mapping.text))


def text_of(parts: Sequence[Part]) -> Reader:
    """The text in which each token is replaced by its value, once: values are never expanded."""
    readers = [(i, part.read) for i, part in enumerate(parts) if isinstance(part, Token)]
    chunks = ["" if isinstance(part, Token) else part for part in parts]

    def read(snapshot: Snapshot) -> Value:
        filled = chunks.copy()
        for index, read_token in readers:
            filled[index] = as_text(read_token(snapshot))
        return "".join(filled)

    return read


def natural_type(mapping: FieldMapping) -> TokenType:
    """What the value of a place is by itself: its token's type, or text."""
    if mapping.kind is Kind.TOKEN and not mapping.formatters:
        return find_token(mapping.token).type
    return TokenType.STRING


def token_names(mapping: Mapping) -> frozenset[str]:
    """The names of all tokens that a mapping reads."""
    names: set[str] = set()
    for field in mapping.fields:
        if field.kind in (Kind.TOKEN, Kind.REPEAT):
            names.add(field.token)
        elif field.kind is Kind.TEXT:
            names.update(part.name for part in split(field.text) if isinstance(part, Token))
    return frozenset(names)
