"""Extraction of an XML sample.

lxml parses, with entities, DTDs and the network off; its tree is then copied into ours, in which
every element, attribute and text knows its path.
"""

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from lxml import etree

from apps.webhooks.extraction.sample import (
    MAX_DEPTH,
    MAX_FIELDS,
    MAX_PATH,
    Field,
    FieldType,
    Sample,
    SampleError,
)
from apps.webhooks.extraction.trees import (
    XmlAttribute,
    XmlDocument,
    XmlElement,
    XmlMarkup,
    XmlText,
)
from apps.webhooks.formats import Format

_DECLARATION = re.compile(
    r"""\s*<\?xml\s+version\s*=\s*(?:"1\.[0-9]"|'1\.[0-9]')
    (?:\s+encoding\s*=\s*["'](?P<encoding>[A-Za-z][A-Za-z0-9._-]*)["'])?
    (?:\s+standalone\s*=\s*["'](?P<standalone>yes|no)["'])?\s*\?>""",
    re.VERBOSE,
)
_DOCTYPE = re.compile(r"(?>\s+|<!--.*?-->|<\?.*?\?>)*+<!DOCTYPE", re.DOTALL)
_NOT_NEWLINE = re.compile(r"[^\n]")
_XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"
_NO_DOCTYPE = "A DOCTYPE is not accepted, nor are entities: delete it."
_LIKE_JSON = re.compile(r"\s*[{\[]")
_ESCAPED = re.compile(r"\s*&lt;")
_MAX_PREDICATE = 80
_MAX_PREDICATE_ATTRIBUTES = 8
_MAX_NAMESPACES = 64
_MAX_AROUND = 100

Namespaces = Mapping[str | None, str]
XmlNode = XmlElement | XmlText | XmlMarkup


def extract_xml(text: str) -> Sample:
    """Parse an XML sample. Raises SampleError."""
    if doctype := _DOCTYPE.match(text):
        position = doctype.end() - len("<!DOCTYPE")
        raise SampleError.at(_NO_DOCTYPE, text, position)
    declaration, body = _take_declaration(text)
    reader = _Reader(text)
    root = _parse(body)
    document = XmlDocument(
        declaration,
        _around(text, root.itersiblings(preceding=True))[::-1],
        reader.element(root, f"/{_name(root)}", {}, 1),
        _around(text, root.itersiblings()),
    )
    return Sample(Format.XML, document, tuple(reader.fields), tuple(reader.containers))


def is_element(place: Field) -> bool:
    """Whether a place of an XML sample is an element, neither an attribute nor a mixed text."""
    return not place.name.startswith("@") and " " not in place.name


def _take_declaration(text: str) -> tuple[str, str]:
    """The declaration to render with, and the text with blanks in its place.

    The text is decoded already, so the declared encoding must only be one that exists.
    """
    match = _DECLARATION.match(text)
    if match is None:
        return "", text
    encoding = match["encoding"]
    if encoding is not None:
        try:
            codecs.lookup(encoding)
        except LookupError:
            message = f'There is no encoding "{encoding}"; use UTF-8.'
            raise SampleError.at(message, text, match.start("encoding")) from None
    standalone = f' standalone="{match["standalone"]}"' if match["standalone"] else ""
    blanks = _NOT_NEWLINE.sub(" ", match[0])
    return f'<?xml version="1.0" encoding="UTF-8"{standalone}?>', blanks + text[match.end() :]


def _parse(text: str) -> etree._Element:
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise _syntax_error(error, text) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise SampleError.at(_NO_DOCTYPE, text, 0)
    return root


def _syntax_error(error: etree.XMLSyntaxError, text: str) -> SampleError:
    line, column = error.position
    message = re.sub(r", line \d+, column \d+$", "", error.msg or "This is not XML")
    if "Excessive depth" in message:
        message = f"Nested deeper than {MAX_DEPTH} levels"
    elif message.startswith("Entity "):
        message = "Entities other than &amp; &lt; &gt; &quot; and &apos; are not accepted"
    elif message.startswith("xmlParseEntityRef"):
        message = "An & in a text or an address is written as &amp;"
    elif _LIKE_JSON.match(text):
        message = "This looks like JSON: choose JSON as the format"
    elif _ESCAPED.match(text):
        message = "This XML is escaped: write < and > instead of &lt; and &gt;"
    lines = text.split("\n")
    if not 1 <= line <= len(lines):
        return SampleError.at(f"{message}.", text, len(text))
    line_start = sum(len(earlier) + 1 for earlier in lines[: line - 1])
    in_characters = len(lines[line - 1].encode()[: max(column - 1, 0)].decode(errors="ignore"))
    return SampleError.at(f"{message}.", text, line_start + in_characters)


class _Reader:
    """Copies lxml's tree into ours and collects the fields in the order of the document."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.fields: list[Field] = []
        self.containers: list[Field] = []

    def element(
        self, node: etree._Element, path: str, inherited: Namespaces, depth: int
    ) -> XmlElement:
        if depth > MAX_DEPTH:
            raise self._error(f"Nested deeper than {MAX_DEPTH} levels.", node)
        name, namespaces = _name(node), node.nsmap
        if len(namespaces) > _MAX_NAMESPACES:
            raise self._error(f"More than {_MAX_NAMESPACES} namespaces.", node)
        is_leaf = _is_leaf(node)
        attributes = self._attributes(node, path, namespaces)
        if is_leaf:
            children = list(self._leaf_children(node, path))
        else:
            self._check_path(path, node)
            self.containers.append(Field(path, name, "", FieldType.OBJECT))
            children = list(self._children(node, path, namespaces, depth))
        declared = tuple(
            (prefix, uri) for prefix, uri in namespaces.items() if inherited.get(prefix) != uri
        )
        return XmlElement(name, path, declared, attributes, tuple(children), is_leaf)

    def _attributes(
        self, node: etree._Element, path: str, namespaces: Namespaces
    ) -> tuple[XmlAttribute, ...]:
        attributes = []
        for qualified, value in node.attrib.items():
            name = _attribute_name(str(qualified), namespaces)
            attribute = XmlAttribute(name, str(value), f"{path}/@{name}")
            self._add(Field(attribute.path, f"@{name}", attribute.value, FieldType.STRING), node)
            attributes.append(attribute)
        return tuple(attributes)

    def _leaf_children(self, node: etree._Element, path: str) -> Iterator[XmlNode]:
        text = "".join(_texts(node))
        self._add(Field(path, _name(node), text, FieldType.STRING), node)
        for piece in _content(node):
            yield XmlText(piece, path) if isinstance(piece, str) else _markup(piece)

    def _children(
        self, node: etree._Element, path: str, namespaces: Namespaces, depth: int
    ) -> Iterator[XmlNode]:
        steps = _steps(node)
        texts = 0
        for piece in _content(node):
            if isinstance(piece, str):
                texts += 1
                yield self._mixed_text(piece, f"{path}/text()[{texts}]", node)
            elif piece in steps:
                yield self.element(piece, f"{path}/{steps[piece]}", namespaces, depth + 1)
            else:
                yield _markup(piece)

    def _mixed_text(self, text: str, path: str, node: etree._Element) -> XmlText:
        if not text.strip():
            return XmlText(text, None)
        self._add(Field(path, f"{_name(node)} text", text, FieldType.STRING), node)
        return XmlText(text, path)

    def _add(self, field: Field, node: etree._Element) -> None:
        if len(self.fields) == MAX_FIELDS:
            raise self._error(f"More than {MAX_FIELDS:,} fields.", node)
        self._check_path(field.path, node)
        self.fields.append(field)

    def _check_path(self, path: str, node: etree._Element) -> None:
        if len(path) > MAX_PATH:
            raise self._error("The names that lead to this value are too long.", node)

    def _error(self, message: str, node: etree._Element) -> SampleError:
        position = 0
        line: object = node.sourceline
        for _ in range(line - 1 if isinstance(line, int) else 0):
            position = self._text.find("\n", position) + 1
        return SampleError.at(message, self._text, position)


def _steps(node: etree._Element) -> dict[etree._Element, str]:
    """The last step of each child element's path: told apart by an attribute, else by position."""
    by_name: dict[str, list[etree._Element]] = {}
    for child in node.iterchildren("*"):
        by_name.setdefault(_name(child), []).append(child)
    steps: dict[etree._Element, str] = {}
    for name, children in by_name.items():
        if len(children) == 1:
            steps[children[0]] = name
            continue
        predicates = _attribute_predicates(children) or [
            str(position) for position in range(1, len(children) + 1)
        ]
        for child, predicate in zip(children, predicates, strict=True):
            steps[child] = f"{name}[{predicate}]"
    return steps


def _attribute_predicates(children: list[etree._Element]) -> list[str] | None:
    for qualified in children[0].attrib.keys()[:_MAX_PREDICATE_ATTRIBUTES]:
        values = [child.get(qualified) for child in children]
        if len(set(values)) == len(values) and all(_fits_predicate(value) for value in values):
            name = _attribute_name(str(qualified), children[0].nsmap)
            return [f"@{name}={_quoted(str(value))}" for value in values]
    return None


def _fits_predicate(value: str | None) -> bool:
    return (
        value is not None and len(value) <= _MAX_PREDICATE and not ('"' in value and "'" in value)
    )


def _quoted(value: str) -> str:
    return f'"{value}"' if "'" in value else f"'{value}'"


def _is_leaf(node: etree._Element) -> bool:
    """Whether there is no element inside, and at most one piece of text that is not blank."""
    if next(node.iterchildren("*"), None) is not None:
        return False
    return sum(1 for text in _texts(node) if text.strip()) <= 1


def _content(node: etree._Element) -> Iterator[str | etree._Element]:
    """Everything inside an element, in order: text as strings, the rest as nodes."""
    if node.text:
        yield node.text
    for child in node:
        yield child
        if child.tail:
            yield child.tail


def _texts(node: etree._Element) -> list[str]:
    return [piece for piece in _content(node) if isinstance(piece, str)]


def _around(text: str, nodes: Iterable[etree._Element]) -> tuple[XmlMarkup, ...]:
    """Return comments and instructions beside the root; lxml writes each in the time of all."""
    found = list(islice(nodes, _MAX_AROUND + 1))
    if len(found) > _MAX_AROUND:
        message = f"More than {_MAX_AROUND} comments or instructions before or behind the root."
        raise SampleError.at(message, text, 0)
    return tuple(_markup(node) for node in found)


def _markup(node: etree._Element) -> XmlMarkup:
    return XmlMarkup(etree.tostring(node, encoding="unicode", with_tail=False))


def _name(node: etree._Element) -> str:
    local = etree.QName(node).localname
    return f"{node.prefix}:{local}" if node.prefix else local


def _attribute_name(qualified: str, namespaces: Namespaces) -> str:
    if not qualified.startswith("{"):
        return qualified
    uri, _, local = qualified[1:].partition("}")
    if uri == _XML_NAMESPACE:
        return f"xml:{local}"
    prefix = next(p for p, u in namespaces.items() if u == uri and p)
    return f"{prefix}:{local}"
