"""JSON: the sample's tree becomes finished bytes with typed places between them.

Every value is serialised as one JSON value at its place, so nothing in it can end a string or
start a member.
"""

from collections.abc import Callable

from apps.webhooks.extraction import SampleError
from apps.webhooks.extraction.json_sample import extract_json, item_path, json_type, member_path
from apps.webhooks.extraction.trees import JsonTree, Number, Tree
from apps.webhooks.mapping.conversions import (
    boolean_text,
    is_empty,
    natural_type,
    number_text,
    wanted_type,
)
from apps.webhooks.mapping.fields import FieldMapping, Kind, Mapping, ValueType, WhenEmpty
from apps.webhooks.rendering.segments import (
    Node,
    Segment,
    Writer,
    conditional,
    joined,
    prefixed,
    separated,
)
from apps.webhooks.rendering.sources import condition, source
from apps.webhooks.tokens import Snapshot, TokenType, Value, as_json, as_text, find_token

Encode = Callable[[Value], bytes | None]
"""Writes a value as JSON of a certain type; None when it is no such thing."""


def compile_json(tree: JsonTree, mapping: Mapping) -> Writer:
    """The writer of a whole JSON body."""
    node = _Compiler(mapping).node(tree, "$")
    return joined([b"null"]) if node is None else joined(_always(node))


class _Compiler:
    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping

    def node(self, tree: JsonTree, path: str) -> Node | None:
        """The compiled place; None when the mapping always leaves it out."""
        field = self._mapping.get(path)
        node = self._filled(tree, path, field)
        if node is None or not field.only_if:
            return node
        otherwise = b"null" if field.when_empty is WhenEmpty.NULL else None
        return conditional(condition(field.only_if), node, otherwise)

    def _filled(self, tree: JsonTree, path: str, field: FieldMapping) -> Node | None:
        match field.kind:
            case Kind.OMIT:
                return None
            case Kind.REPEAT if isinstance(tree, list) and tree:
                return self._repeat(tree[0], field)
            case Kind.TOKEN | Kind.TEXT:
                return _place(field, tree)
            case Kind.CONSTANT if field.constant is not None:
                return [_encoder(field, tree)(field.constant) or b"null"]
        if isinstance(tree, dict):
            return self._object(tree, path)
        if isinstance(tree, list):
            return self._array(tree, path)
        return [_constant(tree)]

    def _object(self, tree: dict[str, JsonTree], path: str) -> list[Segment]:
        members: list[Node] = []
        for key, value in tree.items():
            node = self.node(value, member_path(path, key))
            if node is not None:
                members.append(prefixed(as_json(key) + b":", node))
        return [b"{", *separated(members, b","), b"}"]

    def _array(self, tree: list[JsonTree], path: str) -> list[Segment]:
        nodes = (self.node(value, item_path(path, i)) for i, value in enumerate(tree))
        return [b"[", *separated([node for node in nodes if node is not None], b","), b"]"]

    def _repeat(self, item: JsonTree, field: FieldMapping) -> Node:
        token = find_token(field.token)
        node = self.node(item, item_path(field.path, 0))
        read, narrow = token.read, token.narrow
        if node is None or narrow is None:
            return [b"[]"]
        write_item = joined(node) if isinstance(node, list) else node
        fallback = None if field.when_empty is WhenEmpty.OMIT else b"[]"
        if field.when_empty is WhenEmpty.NULL:
            fallback = b"null"

        def write(snapshot: Snapshot) -> bytes | None:
            value = read(snapshot)
            if is_empty(value):
                return fallback
            items = value if isinstance(value, list) else [value]
            written = (write_item(narrow(snapshot, each)) for each in items)
            return b"[" + b",".join(each for each in written if each is not None) + b"]"

        return write


def _always(node: Node) -> list[Segment]:
    """The node at a place that must be there: `null` where it would be left out."""
    if isinstance(node, list):
        return node

    def write(snapshot: Snapshot) -> bytes:
        return node(snapshot) or b"null"

    return [write]


def _place(field: FieldMapping, tree: JsonTree) -> Node:
    """A place filled by a token or a text."""
    read, encode = source(field), _encoder(field, tree)
    fallback = None if is_empty(field.default) else encode(field.default)
    if fallback is None and field.when_empty is not WhenEmpty.OMIT:
        fallback = _empty(field, tree) if field.when_empty is WhenEmpty.KEEP else b"null"

    def write(snapshot: Snapshot) -> bytes | None:
        value = read(snapshot)
        if not value and is_empty(value):
            return fallback
        encoded = encode(value)
        return fallback if encoded is None else encoded

    def write_text(snapshot: Snapshot) -> bytes:
        value = read(snapshot)
        return as_json(value) if type(value) is str else write(snapshot) or b'""'

    if fallback == b'""' and encode is _nested_or_text:
        return [write_text]
    if fallback is not None:
        return _always(write)
    return write


def _encoder(field: FieldMapping, tree: JsonTree) -> Encode:
    match wanted_type(field, json_type(tree)):
        case ValueType.STRING:
            return _text
        case ValueType.NUMBER:
            return _number
        case ValueType.BOOLEAN:
            return _boolean
        case ValueType.SAMPLE:
            return _nested_or_text
    return _written_json if field.kind is Kind.CONSTANT else as_json


def _empty(field: FieldMapping, tree: JsonTree) -> bytes:
    """What is sent for nothing: an empty value of the place's type, null where there is none."""
    wanted = wanted_type(field, json_type(tree))
    if wanted in (ValueType.SAMPLE, ValueType.JSON):
        match natural_type(field):
            case TokenType.LIST:
                return b"[]"
            case TokenType.OBJECT:
                return b"{}"
    return b'""' if wanted in (ValueType.SAMPLE, ValueType.STRING) else b"null"


def _text(value: Value) -> bytes:
    return as_json(as_text(value))


def _nested_or_text(value: Value) -> bytes:
    return as_json(value if isinstance(value, list | dict) else as_text(value))


def _number(value: Value) -> bytes | None:
    text = number_text(value)
    return None if text is None else text.encode()


def _boolean(value: Value) -> bytes | None:
    text = boolean_text(value)
    return None if text is None else text.encode()


def _written_json(value: Value) -> bytes | None:
    try:
        return _constant(extract_json(as_text(value)).tree)
    except SampleError:
        return None


def _constant(tree: Tree) -> bytes:
    """The tree as JSON, its numbers as they are written."""
    match tree:
        case Number():
            return tree.text.encode()
        case dict():
            members = (as_json(key) + b":" + _constant(value) for key, value in tree.items())
            return b"{" + b",".join(members) + b"}"
        case list():
            return b"[" + b",".join(map(_constant, tree)) + b"]"
    return as_json(tree)
