"""XML: the sample's tree becomes finished markup with escaped places between it.

Characters that XML cannot hold become U+FFFD; line breaks and tabs are written as references
where a parser would otherwise change them.
"""

import re
from collections.abc import Callable
from collections.abc import Mapping as MappingOf

from apps.webhooks.extraction import FieldType
from apps.webhooks.extraction.trees import (
    XmlAttribute,
    XmlDocument,
    XmlElement,
    XmlMarkup,
    XmlText,
)
from apps.webhooks.mapping.conversions import boolean_text, is_empty, number_text, wanted_type
from apps.webhooks.mapping.fields import FieldMapping, Kind, Mapping, ValueType, WhenEmpty
from apps.webhooks.rendering.segments import OptionalWriter, Segment, Writer, joined
from apps.webhooks.rendering.sources import condition, source
from apps.webhooks.tokens import Snapshot, Value, as_text, find_token

Encode = Callable[[Value], bytes | None]

INVALID = "\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff"
"""What XML can not hold, as the inside of a character class."""
_SPECIAL_IN_TEXT = re.compile(f"[&<>\r{INVALID}]")
_SPECIAL_IN_ATTRIBUTE = re.compile(f'[&<>"\r\n\t{INVALID}]')
_ESCAPES = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "\r": "&#13;",
    "\n": "&#10;",
    "\t": "&#9;",
}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")
_MAX_DEPTH = 64


def compile_xml(document: XmlDocument, mapping: Mapping) -> Writer:
    """The writer of a whole XML body."""
    segments: list[Segment] = [f"{line}\n".encode() for line in _lines_before(document)]
    segments += _Compiler(mapping).element(document.root)
    segments += [b"\n" + markup.text.encode() for markup in document.after]
    return joined(segments)


def _lines_before(document: XmlDocument) -> list[str]:
    declaration = [document.declaration] if document.declaration else []
    return declaration + [markup.text for markup in document.before]


class _Compiler:
    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping

    def element(self, element: XmlElement) -> list[Segment]:
        """The compiled element; no segments when the mapping always leaves it out."""
        field = self._mapping.get(element.path)
        return _conditional(field, self._filled_element(element, field))

    def _filled_element(self, element: XmlElement, field: FieldMapping) -> list[Segment]:
        match field.kind:
            case Kind.OMIT:
                return []
            case Kind.REPEAT:
                return [self._repeat(element, field)]
            case Kind.TOKEN | Kind.TEXT:
                return self._filled(element, field)
            case Kind.CONSTANT if field.constant is not None:
                return self._wrapped(element, [_text(field.constant)])
        return self._wrapped(element, self._content(element))

    def _wrapped(self, element: XmlElement, content: list[Segment]) -> list[Segment]:
        declared = "".join(
            f' xmlns{":" + prefix if prefix else ""}="{_escaped_attribute(uri)}"'
            for prefix, uri in element.namespaces
        )
        segments: list[Segment] = [f"<{element.name}{declared}".encode()]
        for attribute in element.attributes:
            segments += self._attribute(attribute)
        return [*segments, b">", *content, f"</{element.name}>".encode()]

    def _attribute(self, attribute: XmlAttribute) -> list[Segment]:
        field = self._mapping.get(attribute.path)
        if field.kind is Kind.OMIT:
            return []
        return _conditional(field, self._filled_attribute(attribute, field))

    def _filled_attribute(self, attribute: XmlAttribute, field: FieldMapping) -> list[Segment]:
        start = f' {attribute.name}="'.encode()
        if field.kind is Kind.CONSTANT:
            value = attribute.value if field.constant is None else field.constant
            return [start, _attribute_text(value), b'"']
        write = _place(field, _typed(field, _attribute_text))

        def write_attribute(snapshot: Snapshot) -> bytes:
            written = write(snapshot)
            return b"" if written is None else start + written + b'"'

        return [write_attribute]

    def _content(self, element: XmlElement) -> list[Segment]:
        segments: list[Segment] = []
        repeated: set[str] = set()
        for child in element.children:
            match child:
                case XmlText():
                    segments += self._mixed_text(child, element)
                case XmlMarkup():
                    segments.append(child.text.encode())
                case XmlElement() if child.name not in repeated:
                    segments += self.element(child)
                    if self._mapping.get(child.path).kind is Kind.REPEAT:
                        repeated.add(child.name)
        return segments

    def _mixed_text(self, text: XmlText, element: XmlElement) -> list[Segment]:
        field = self._mapping.get(text.path) if text.path else None
        if field is None or element.is_leaf or field.is_as_sample:
            return [_text(text.text)]
        if field.kind is Kind.OMIT:
            return []
        if field.kind is Kind.CONSTANT:
            segments: list[Segment] = [
                _text(text.text if field.constant is None else field.constant)
            ]
        else:
            segments = [_kept(_place(field, _typed(field, _nested(element, field))))]
        return _conditional(field, segments)

    def _filled(self, element: XmlElement, field: FieldMapping) -> list[Segment]:
        """An element whose content is a token or a text; comments inside stay, behind it."""
        write_value = _place(field, _typed(field, _nested(element, field)))
        markup = [c.text.encode() for c in element.children if isinstance(c, XmlMarkup)]
        start, end = self._around(element, b"".join(markup))
        if field.when_empty is not WhenEmpty.OMIT:
            return [*start, _kept(write_value), *end]
        write_start, write_end = joined(start), joined(end)

        def write(snapshot: Snapshot) -> bytes:
            value = write_value(snapshot)
            if value is None:
                return b""
            return write_start(snapshot) + value + write_end(snapshot)

        return [write]

    def _around(self, element: XmlElement, markup: bytes) -> tuple[list[Segment], list[Segment]]:
        *start, end = self._wrapped(element, [])
        return start, [markup, end]

    def _repeat(self, element: XmlElement, field: FieldMapping) -> Writer:
        token = find_token(field.token)
        read, narrow = token.read, token.narrow
        content = self._content(element)
        if field.text:
            content = [_kept(_place(field, _typed(field, _text)))]
        write_item = joined(self._wrapped(element, content))

        def write(snapshot: Snapshot) -> bytes:
            value = read(snapshot)
            if is_empty(value) or narrow is None:
                return b""
            items = value if isinstance(value, list) else [value]
            return b"".join([write_item(narrow(snapshot, item)) for item in items])

        return write


def _conditional(field: FieldMapping, segments: list[Segment]) -> list[Segment]:
    """The segments of a place; nothing where what it is sent only for is missing."""
    if not field.only_if:
        return segments
    is_met, write = condition(field.only_if), joined(segments)
    return [lambda snapshot: write(snapshot) if is_met(snapshot) else b""]


def _place(field: FieldMapping, encode: Encode) -> OptionalWriter:
    """The content of a place; None when there is nothing and the place is to be left out."""
    read = source(field)
    fallback = None if is_empty(field.default) else encode(field.default)
    if fallback is None and field.when_empty is not WhenEmpty.OMIT:
        fallback = b""

    def write(snapshot: Snapshot) -> bytes | None:
        value = read(snapshot)
        if not value and is_empty(value):
            return fallback
        encoded = encode(value)
        return fallback if encoded is None else encoded

    return write


def _kept(write: OptionalWriter) -> Writer:
    """The content of a place whose element stays when there is nothing."""
    return lambda snapshot: write(snapshot) or b""


def _typed(field: FieldMapping, otherwise: Encode) -> Encode:
    match wanted_type(field, FieldType.STRING):
        case ValueType.STRING:
            return lambda value: otherwise(as_text(value))
        case ValueType.NUMBER:
            return lambda value: _encoded_or_none(number_text(value))
        case ValueType.BOOLEAN:
            return lambda value: _encoded_or_none(boolean_text(value))
    return otherwise


def _encoded_or_none(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


def _text(value: Value) -> bytes:
    text = as_text(value)
    if _SPECIAL_IN_TEXT.search(text):
        text = _SPECIAL_IN_TEXT.sub(_escape, text)
    return text.encode()


def _attribute_text(value: Value) -> bytes:
    return _escaped_attribute(as_text(value)).encode()


def _escaped_attribute(text: str) -> str:
    return _SPECIAL_IN_ATTRIBUTE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[0], "\ufffd")


def _nested(element: XmlElement, field: FieldMapping) -> Encode:
    """Write nested values as child elements, in the namespace of the element around them.

    The items of a catalogue token are named after it: `<prompt_response>`, `<tag name="Region">`.
    """
    prefix, colon, _ = element.name.rpartition(":")
    token = find_token(field.token) if field.kind is Kind.TOKEN else None
    item_name = token.name.removesuffix("s") if token and token.type.is_nested else ""

    def encode(value: Value) -> bytes | None:
        if type(value) is str:
            return _text(value)
        if item_name:
            return _items(value, item_name, prefix + colon)
        return _children(value, prefix + colon, _MAX_DEPTH)

    return encode


def _items(value: Value, name: str, prefix: str) -> bytes:
    named = (
        [(f' name="{_escaped_attribute(str(key))}"', item) for key, item in value.items()]
        if isinstance(value, MappingOf)
        else [("", item) for item in value]
    )
    return b"".join(
        _child(prefix + name, attributes, item, prefix, _MAX_DEPTH) for attributes, item in named
    )


def _children(value: Value, prefix: str, depth: int) -> bytes:
    if depth == 0:
        return b""
    if isinstance(value, list):
        return b"".join(_child(f"{prefix}item", "", item, prefix, depth) for item in value)
    if isinstance(value, MappingOf):
        return b"".join(_member(str(key), item, prefix, depth) for key, item in value.items())
    return _text(value)


def _member(key: str, value: Value, prefix: str, depth: int) -> bytes:
    if _NAME.fullmatch(key):
        return _child(prefix + key, "", value, prefix, depth)
    name = f' name="{_escaped_attribute(key)}"'
    return _child(f"{prefix}field", name, value, prefix, depth)


def _child(name: str, attributes: str, value: Value, prefix: str, depth: int) -> bytes:
    content = _children(value, prefix, depth - 1)
    return f"<{name}{attributes}>".encode() + content + f"</{name}>".encode()
