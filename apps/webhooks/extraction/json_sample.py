"""Extraction of a JSON sample.

The standard parser can neither say where a key is repeated nor keep a number as it is written,
so the structure is read here; strings are left to the standard scanner. Nesting is bounded, so
recursion is.
"""

import re
from json import JSONDecodeError
from json.decoder import scanstring  # type: ignore[attr-defined]  # not in the stubs

from apps.webhooks.extraction.almost_json import why_no_json
from apps.webhooks.extraction.sample import (
    MAX_DEPTH,
    MAX_FIELDS,
    MAX_PATH,
    Field,
    FieldType,
    Sample,
    SampleError,
)
from apps.webhooks.extraction.trees import JsonTree, Number
from apps.webhooks.formats import Format

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_WORD = re.compile(r"[A-Za-z]+")
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_UNUSABLE = re.compile("[\x00\ud800-\udfff]")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_MAX_DIGITS = 100


def extract_json(text: str) -> Sample:
    """Parse a JSON sample. Raises SampleError."""
    parser = _Parser(text)
    tree = parser.document()
    return Sample(Format.JSON, tree, tuple(parser.fields), tuple(parser.containers))


def member_path(path: str, key: str) -> str:
    """The path of an object's member: `$.customer`, `$['Call.From']`."""
    if _PLAIN_KEY.fullmatch(key):
        return f"{path}.{key}"
    quoted = key.replace("\\", "\\\\").replace("'", "\\'")
    return f"{path}['{quoted}']"


def item_path(path: str, index: int) -> str:
    """The path of an array's item: `$.phones[0]`."""
    return f"{path}[{index}]"


def json_type(value: JsonTree) -> FieldType:
    """What a value of the tree is."""
    match value:
        case Number():
            return FieldType.NUMBER
        case str():
            return FieldType.STRING
        case dict():
            return FieldType.OBJECT
        case list():
            return FieldType.ARRAY
        case None:
            return FieldType.NULL
    return FieldType.BOOLEAN


class _Parser:
    """One pass over the text; `_at` is the position of the next character."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.fields: list[Field] = []
        self.containers: list[Field] = []

    def document(self) -> JsonTree:
        self._skip_space()
        tree = self._value("$", "$", 0)
        if self._at < len(self._text):
            raise self._error(self._why_not_the_end(), self._at)
        return tree

    def _value(self, path: str, name: str, depth: int) -> JsonTree:
        """The value that begins here; its place and those inside it are noted in order."""
        start = self._at
        if depth == MAX_DEPTH and self._text.startswith(("{", "["), start):
            raise self._error(f"Nested deeper than {MAX_DEPTH} levels.", start)
        if len(path) > MAX_PATH:
            raise self._error("The names that lead to this value are too long.", start)
        match self._text[start : start + 1]:
            case "{":
                value: JsonTree = self._object(path, name, depth + 1)
            case "[":
                value = self._array(path, name, depth + 1)
            case character:
                value = self._scalar(character, start)
                self._add(Field(path, name, _shown(value), json_type(value)), start)
        self._skip_space()
        return value

    def _object(self, path: str, name: str, depth: int) -> dict[str, JsonTree]:
        members: dict[str, JsonTree] = {}
        start = self._at
        self._advance()
        if self._take("}"):
            self._add(Field(path, name, "{}", FieldType.OBJECT), start)
            return members
        self.containers.append(Field(path, name, "", FieldType.OBJECT))
        while True:
            key = self._key(members)
            members[key] = self._value(member_path(path, key), key, depth)
            if self._take("}"):
                return members
            if not self._take(","):
                raise self._error(self._why_not_closed("}"), self._at)

    def _key(self, members: dict[str, JsonTree]) -> str:
        start = self._at
        if self._text[start : start + 1] != '"':
            raise self._error(self._why_no_key(start), start)
        key = self._string()
        if key in members:
            raise self._error(f'The key "{key}" is there twice in the same object.', start)
        self._skip_space()
        if not self._take(":"):
            raise self._error('A ":" must follow the key.', self._at)
        return key

    def _array(self, path: str, name: str, depth: int) -> list[JsonTree]:
        items: list[JsonTree] = []
        start = self._at
        self._advance()
        if self._take("]"):
            self._add(Field(path, name, "[]", FieldType.ARRAY), start)
            return items
        self.containers.append(Field(path, name, "", FieldType.ARRAY))
        while True:
            index = len(items)
            items.append(self._value(item_path(path, index), f"{name}[{index}]", depth))
            if self._take("]"):
                return items
            if not self._take(","):
                raise self._error(self._why_not_closed("]"), self._at)

    def _scalar(self, character: str, start: int) -> JsonTree:
        if character == '"':
            return self._string()
        if number := _NUMBER.match(self._text, start):
            self._at = number.end()
            return self._number(number[0], start)
        word = _WORD.match(self._text, start)
        if word and word[0] in _WORDS:
            self._at = word.end()
            return _WORDS[word[0]]
        raise self._error(self._why_no_value(start), start)

    def _string(self) -> str:
        start = self._at
        value: str
        try:
            value, self._at = scanstring(self._text, start + 1, True)
        except JSONDecodeError as error:
            message = _STRING_FAULTS.get(error.msg, f"{error.msg}.")
            raise self._error(message, error.pos) from None
        if unusable := _UNUSABLE.search(value):
            code = ord(unusable[0])
            raise self._error(f"The text contains U+{code:04X}, which no receiver can take.", start)
        return value

    def _number(self, text: str, start: int) -> Number:
        if len(text) > _MAX_DIGITS or abs(float(text)) == float("inf"):
            raise self._error("The number is too large to be passed on exactly.", start)
        if self._text[self._at : self._at + 1].isalnum():
            raise self._error("This is not a JSON number.", start)
        return Number(text)

    def _why_no_key(self, start: int) -> str:
        if self._text[start : start + 1] == "}":
            return 'There is a "," too many before this "}".'
        return why_no_json(self._text, start) or "A key in double quotes is expected here."

    def _why_no_value(self, start: int) -> str:
        character = self._text[start : start + 1]
        if not character:
            return "The JSON ends too early: a value is missing."
        if character == "]" and self._text[:start].rstrip(" \t\n\r").endswith(","):
            return 'There is a "," too many before this "]".'
        if character in "]}":
            return f'A value is missing before this "{character}".'
        return why_no_json(self._text, start) or (
            "A JSON value is expected here: text in double quotes, a number, true, false, null."
        )

    def _why_not_closed(self, end: str) -> str:
        """What is wrong where a value should be followed by a comma or the end."""
        if self._at == len(self._text):
            return f'The JSON ends too early: "{end}" is missing.'
        if self._text.startswith('"', self._at):
            return 'A "," is missing before this.'
        return why_no_json(self._text, self._at) or f'Expected "," or "{end}" after this value.'

    def _why_not_the_end(self) -> str:
        if self._text.startswith(("{", "["), self._at):
            return "Another JSON value begins here: paste one only, or put them in a list."
        return why_no_json(self._text, self._at) or "Nothing may follow the end of the JSON value."

    def _add(self, field: Field, start: int) -> None:
        if len(self.fields) == MAX_FIELDS:
            raise self._error(f"More than {MAX_FIELDS:,} fields.", start)
        self.fields.append(field)

    def _take(self, character: str) -> bool:
        if self._text[self._at : self._at + 1] != character:
            return False
        self._advance()
        return True

    def _advance(self) -> None:
        self._at += 1
        self._skip_space()

    def _skip_space(self) -> None:
        space = _SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at

    def _error(self, message: str, position: int) -> SampleError:
        return SampleError.at(message, self._text, min(position, len(self._text)))


def _shown(value: JsonTree) -> str:
    if isinstance(value, Number):
        return value.text
    if isinstance(value, str):
        return value
    return "" if value is None else "true" if value else "false"


_STRING_FAULTS = {
    "Unterminated string starting at": "This text has no closing double quote.",
    "Invalid control character at": (
        "A line break or control character inside text must be written as an escape, like \\n."
    ),
    "Invalid \\escape: ": "This backslash escape is none that JSON knows.",
    "Invalid \\escape": "This backslash escape is none that JSON knows.",
    "Invalid \\uXXXX escape": "Four hex digits must follow \\u.",
}
