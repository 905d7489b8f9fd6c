"""Extraction of a form body or a URL query: `name=value&name=value`, percent-encoded."""

import re
from collections import Counter
from urllib.parse import unquote

from apps.webhooks.extraction.sample import (
    MAX_FIELDS,
    MAX_PATH,
    Field,
    FieldType,
    Sample,
    SampleError,
)
from apps.webhooks.extraction.trees import Pair
from apps.webhooks.formats import Format
from apps.webhooks.tokens import UnknownToken, split

_ADDRESS = re.compile(r"https?://|/[^?=&]*\?", re.IGNORECASE)
_OTHER_FORMATS = {"{": "JSON", "[": "JSON", "<": "XML"}
_SPACE = re.compile(r"\s")
_UNUSABLE = re.compile("[\x00\ud800-\udfff]")


def extract_pairs(text: str, format: Format) -> Sample:  # noqa: A002 - the word of the domain
    """Parse a form or query sample; a query may begin with "?". Raises SampleError."""
    end = len(text.rstrip())
    position = len(text) - len(text.lstrip())
    if format is Format.QUERY and text.startswith("?", position):
        position += 1
    if other := _OTHER_FORMATS.get(text[position : position + 1]):
        message = f"This looks like {other}: choose {other} as the format."
        raise SampleError.at(message, text, position)
    if address := _ADDRESS.match(text, position):
        message = "Paste only what follows the ?; what is before it belongs into the URL."
        raise SampleError.at(message, text, address.start())
    if space := _SPACE.search(text, position, end):
        message = "No blanks or line breaks: write a blank as + or %20."
        raise SampleError.at(message, text, space.start())
    decoded: list[tuple[str, str, str]] = []
    for part in text[position:end].split("&"):
        if part:
            decoded.append(_decode(part, text, position))
        if len(decoded) > MAX_FIELDS:
            raise SampleError.at(f"More than {MAX_FIELDS:,} fields.", text, position)
        position += len(part) + 1
    if not decoded:
        raise SampleError.at("There is no name=value in it.", text, 0)
    pairs = _addressed(decoded)
    fields = (Field(each.path, each.name, each.value, FieldType.STRING) for each in pairs)
    return Sample(format, pairs, tuple(fields), ())


def _decode(part: str, text: str, position: int) -> tuple[str, str, str]:
    """The name, the value, and the value as written."""
    raw_name, _, raw_value = part.partition("=")
    try:
        name, value = _decoded(raw_name), _decoded_value(raw_value)
    except UnicodeDecodeError:
        message = "The percent-encoded text is not UTF-8."
        raise SampleError.at(message, text, position) from None
    if not name:
        raise SampleError.at("A name is missing before the =.", text, position)
    if len(name) > MAX_PATH // 3:
        raise SampleError.at("This name is too long.", text, position)
    if unusable := _UNUSABLE.search(name + value):
        code = ord(unusable[0])
        message = f"The text contains U+{code:04X}, which no receiver can take."
        raise SampleError.at(message, text, position)
    return name, value, raw_value


def _decoded_value(raw: str) -> str:
    """Decode what is around the tokens: `%ac` in `%account_id%` is no encoded character."""
    try:
        parts = split(raw)
    except UnknownToken:
        return _decoded(raw)
    return "".join(_decoded(p) if isinstance(p, str) else f"%{p.name}%" for p in parts)


def _decoded(raw: str) -> str:
    return unquote(raw.replace("+", " "), errors="strict")


def _addressed(decoded: list[tuple[str, str, str]]) -> tuple[Pair, ...]:
    """Paths: the name, and `#2` for the second of that name; # and % in names are encoded."""
    counts = Counter(name for name, _, _ in decoded)
    seen: Counter[str] = Counter()
    pairs = []
    for name, value, raw_value in decoded:
        seen[name] += 1
        path = name.replace("%", "%25").replace("#", "%23")
        if counts[name] > 1:
            path = f"{path}#{seen[name]}"
        pairs.append(Pair(path, name, value, raw_value))
    return tuple(pairs)
