"""What extraction finds in a sample: its tree, its fields, or the one error that refuses it."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from apps.webhooks.extraction.trees import Tree
from apps.webhooks.formats import Format

MAX_BYTES = 256 * 1024
MAX_DEPTH = 64
MAX_FIELDS = 5_000
MAX_PATH = 1_000

_SNIPPET_RADIUS = 60


class SampleError(ValueError):
    """A sample that cannot be used: what is wrong, where (1-based), and the text around it."""

    def __init__(self, message: str, *, line: int, column: int, snippet: str) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.snippet = snippet

    @classmethod
    def at(cls, message: str, text: str, position: int) -> "SampleError":
        """The error at a character position of the text."""
        line_start = text.rfind("\n", 0, position) + 1
        line_end = text.find("\n", position)
        line_end = len(text) if line_end < 0 else line_end
        start = max(line_start, position - _SNIPPET_RADIUS)
        snippet = text[start : min(line_end, position + _SNIPPET_RADIUS)]
        return cls(
            message,
            line=text.count("\n", 0, position) + 1,
            column=position - line_start + 1,
            snippet=snippet.strip("\r\n").encode("utf-8", "replace").decode(),
        )


class FieldType(StrEnum):
    """What stands at a place of the sample. XML, form and query have strings only, and for
    places that hold other places `object` and `array`."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    NULL = "null"
    OBJECT = "object"
    ARRAY = "array"


@dataclass(frozen=True, slots=True)
class Field:
    """A place of the sample that can be mapped.

    `path` addresses it and no other place; `name` is its last step, for people; `sample` is the
    value that stands there, as text.
    """

    path: str
    name: str
    sample: str
    type: FieldType


@dataclass(frozen=True)
class Sample:
    """A parsed sample: `fields` are the values in order, `containers` what holds them."""

    format: Format
    tree: Tree
    fields: tuple[Field, ...]
    containers: tuple[Field, ...]

    def find(self, path: str) -> Field | None:
        """The field or container at this path."""
        return self._by_path.get(path)

    @cached_property
    def _by_path(self) -> dict[str, Field]:
        return {field.path: field for field in (*self.containers, *self.fields)}
