"""Where the value of a mapped place comes from: the token or text, then its formatters."""

from collections.abc import Sequence

from apps.webhooks.mapping.conversions import is_empty, is_yes
from apps.webhooks.mapping.fields import FieldMapping, Kind
from apps.webhooks.mapping.formatters import Step, steps
from apps.webhooks.rendering.segments import Condition
from apps.webhooks.tokens import Part, Snapshot, Token, Value, as_text, find_token, split
from apps.webhooks.tokens.readers import Reader


def source(mapping: FieldMapping) -> Reader:
    """The value of a place filled by a token or a text, before its default and its type."""
    if mapping.kind is Kind.TOKEN:
        read = find_token(mapping.token).read
    else:
        read = text_of(split(mapping.text))
    return _formatted(read, steps(mapping.formatters)) if mapping.formatters else read


def condition(token: str) -> Condition:
    """Whether a token has a value that is no "no"."""
    read = find_token(token).read
    return lambda snapshot: is_yes(read(snapshot))


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


def _formatted(read: Reader, formatters: Sequence[Step]) -> Reader:
    """The value after each step in turn, until nothing is left of it."""

    def read_formatted(snapshot: Snapshot) -> Value:
        value = read(snapshot)
        for step in formatters:
            if is_empty(value):
                return None
            value = step(value, snapshot)
        return value

    return read_formatted
