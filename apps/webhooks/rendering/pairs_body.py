"""Form bodies and URL queries: each value percent-encoded at its place.

A form writes a blank as "+", a query as "%20". Nested values become compact JSON.
"""

from collections.abc import Callable
from urllib.parse import quote, quote_plus

from apps.webhooks.extraction import FieldType
from apps.webhooks.extraction.trees import Pair
from apps.webhooks.formats import Format
from apps.webhooks.mapping.conversions import boolean_text, is_empty, number_text, wanted_type
from apps.webhooks.mapping.fields import FieldMapping, Kind, Mapping, ValueType, WhenEmpty
from apps.webhooks.rendering.segments import Node, Writer, conditional, joined, prefixed, separated
from apps.webhooks.rendering.sources import condition, source
from apps.webhooks.tokens import Snapshot, Value, as_text, without_surrogates

Quote = Callable[[str], bytes]


def compile_pairs(pairs: tuple[Pair, ...], mapping: Mapping, target: Format) -> Writer:
    """The writer of a whole form body or query."""
    quote_text = _quote_form if target is Format.FORM else _quote_query
    nodes = (_pair(pair, mapping.get(pair.path), quote_text) for pair in pairs)
    return joined(separated([node for node in nodes if node is not None], b"&"))


def _pair(pair: Pair, field: FieldMapping, quote_text: Quote) -> Node | None:
    """The compiled parameter; None when the mapping always leaves it out."""
    start = quote_text(pair.name) + b"="
    node = _filled(pair, field, start, quote_text)
    if node is None or not field.only_if:
        return node
    return conditional(condition(field.only_if), node, None)


def _filled(pair: Pair, field: FieldMapping, start: bytes, quote_text: Quote) -> Node | None:
    match field.kind:
        case Kind.OMIT:
            return None
        case Kind.TOKEN | Kind.TEXT:
            return prefixed(start, _place(field, quote_text))
    return [start, quote_text(pair.value if field.constant is None else field.constant)]


def _place(field: FieldMapping, quote_text: Quote) -> Node:
    read, as_wanted = source(field), _conversion(field)
    default = as_wanted(field.default) or ""
    fallback = quote_text(default)

    def write(snapshot: Snapshot) -> bytes:
        value = read(snapshot)
        text = None if is_empty(value) else as_wanted(value)
        return quote_text(text) if text else fallback

    if default or field.when_empty is not WhenEmpty.OMIT:
        return [write]
    return lambda snapshot: write(snapshot) or None


def _conversion(field: FieldMapping) -> Callable[[Value], str | None]:
    match wanted_type(field, FieldType.STRING):
        case ValueType.NUMBER:
            return number_text
        case ValueType.BOOLEAN:
            return boolean_text
    return as_text


def _quote_form(text: str) -> bytes:
    return quote_plus(without_surrogates(text)).encode()


def _quote_query(text: str) -> bytes:
    return quote(without_surrogates(text), safe="").encode()
