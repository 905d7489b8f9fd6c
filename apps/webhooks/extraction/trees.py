"""The trees of a sample: immutable, free of any parser's objects, and addressed by path."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Number:
    """A JSON number as it is written, so that 1.10 stays 1.10 and big integers stay exact."""

    text: str


JsonTree = dict[str, "JsonTree"] | list["JsonTree"] | str | Number | bool | None


@dataclass(frozen=True, slots=True)
class XmlText:
    """Text inside an element; `path` is None where it is no field of its own."""

    text: str
    path: str | None


@dataclass(frozen=True, slots=True)
class XmlMarkup:
    """A comment or processing instruction, serialised."""

    text: str


@dataclass(frozen=True, slots=True)
class XmlAttribute:
    """An attribute, its name as written (`xsi:type`)."""

    name: str
    value: str
    path: str


@dataclass(frozen=True, slots=True)
class XmlElement:
    """An element, its name as written (`soap:Body`) and the namespaces declared on it.

    A leaf has no elements inside and at most one piece of text, which shares the leaf's path.
    """

    name: str
    path: str
    namespaces: tuple[tuple[str | None, str], ...]
    attributes: tuple[XmlAttribute, ...]
    children: tuple["XmlElement | XmlText | XmlMarkup", ...]
    is_leaf: bool


@dataclass(frozen=True, slots=True)
class XmlDocument:
    """A document: its declaration ("" when the sample has none) and what surrounds the root."""

    declaration: str
    before: tuple[XmlMarkup, ...]
    root: XmlElement
    after: tuple[XmlMarkup, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """A parameter of a form or query, decoded; `raw_value` is its value as written."""

    path: str
    name: str
    value: str
    raw_value: str


Tree = JsonTree | XmlDocument | tuple[Pair, ...]
