"""From the text or HTML of a receiver to what a text-to-speech engine can read. Pure."""

import codecs
import html
import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from lxml import etree

from apps.ivr.decisions import AnswerFault

# What engines take at once; several minutes of talking.
MAX_CHARS: Final = 4_000
_MARKUP_TYPES: Final = frozenset({"text/html", "text/xml", "application/xhtml+xml"})
_TAG: Final = re.compile(r"<(?:!|/?[A-Za-z])[^<>]*>")
_META_CHARSET: Final = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})", re.I
)
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Codecs of Python that are no character sets of documents.
_NO_CHARSETS: Final = frozenset({"idna", "punycode", "undefined"})
# fmt: off
_SILENT: Final = frozenset({
    "script", "style", "head", "noscript", "template", "svg", "math", "iframe", "object", "embed",
    "audio", "video", "canvas", "select", "textarea", "button",
})
# Their text runs on without a pause.
_INLINE: Final = frozenset({
    "a", "abbr", "b", "bdi", "bdo", "big", "br", "cite", "code", "data", "del", "dfn", "em",
    "font", "i", "ins", "kbd", "label", "mark", "q", "s", "samp", "small", "span", "strike",
    "strong", "sub", "sup", "time", "tt", "u", "var", "wbr",
})
# fmt: on
_ENDS_A_SENTENCE: Final = (".", "!", "?", ":", ";", ",", "…")


def speakable(body: bytes, content_type: str) -> str:
    """Return what is read to the caller, on one line of at most MAX_CHARS characters.

    Raises AnswerFault for what is no text, is not in the encoding that it says, or says nothing.
    """
    media_type, charset = parse_content_type(content_type)
    if media_type and not media_type.startswith("text/") and media_type not in _MARKUP_TYPES:
        raise AnswerFault(f"The answer is {media_type[:80]}; text or HTML is expected.")
    text = _decoded(body, charset)
    if media_type in _MARKUP_TYPES or _TAG.search(text):
        text = _joined(_lines_of_markup(text))
    else:
        text = _unescaped(text)
    text = bounded(_cleaned(text))
    if not text:
        raise AnswerFault("The answer has no text to read.")
    return text


def parse_content_type(content_type: str) -> tuple[str, str]:
    """Return media type and charset, lower-case, empty where they are not told."""
    media_type, *parameters = content_type.split(";")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return media_type.strip().lower(), value.strip().strip("\"'").lower()
    return media_type.strip().lower(), ""


def bounded(text: str) -> str:
    """Return at most MAX_CHARS characters, cut between words where there is one near."""
    if len(text) <= MAX_CHARS:
        return text
    words, _, rest = text[: MAX_CHARS + 1].rpartition(" ")
    return words if words and len(rest) < 100 else text[:MAX_CHARS]


def _decoded(body: bytes, charset: str) -> str:
    """Decode by byte order mark, charset, `<meta>`, UTF-8 or Windows-1252: the first that is."""
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return _decoded_as(body, encoding)
    if not charset and (meta := _META_CHARSET.search(body, 0, 2_048)):
        charset = meta[1].decode("ascii")
    if charset:
        return _decoded_as(body, charset)
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def _decoded_as(body: bytes, encoding: str) -> str:
    try:
        if codecs.lookup(encoding).name in _NO_CHARSETS:
            raise LookupError
        return body.decode(encoding)
    except LookupError:
        raise AnswerFault(f"The answer's encoding {encoding[:40]!r} is not known.") from None
    except ValueError:
        raise AnswerFault(f"The answer says that it is {encoding[:40]}, and is not.") from None


def _unescaped(text: str) -> str:
    try:
        return html.unescape(text)
    # Python reads no number of thousands of digits.
    except ValueError:
        raise AnswerFault("The answer has a character reference that is no character.") from None


def _lines_of_markup(text: str) -> Iterator[str]:
    """Yield the lines that a browser would show, without what is not meant to be read."""
    parser = etree.HTMLParser(
        encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=False
    )
    source = text.replace("\0", "").encode("utf-8", "replace")
    try:
        root = etree.fromstring(source, parser)
    except etree.XMLSyntaxError:
        root = None
    if root is None:
        return
    line: list[str] = []
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, node in walk:
        if event == "start" and node.tag == "br":
            line.append(" ")
        is_silent = node.tag in _SILENT or "hidden" in node.attrib
        if not is_silent and node.tag not in _INLINE:
            yield "".join(line)
            line.clear()
        if event == "end":
            line.append(node.tail or "")
        elif is_silent:
            walk.skip_subtree()
        else:
            line.append(node.text or "")
    yield "".join(line)


def _joined(lines: Iterator[str]) -> str:
    """Put lines behind each other, with a pause between them."""
    said = ""
    for line in lines:
        if words := " ".join(line.split()):
            pause = "" if not said else " " if said.endswith(_ENDS_A_SENTENCE) else ". "
            said += pause + words
    return said


def _cleaned(text: str) -> str:
    """Drop what can not be read out: control, invisible and unassigned characters."""
    spaced = (" " if character.isspace() else character for character in text)
    kept = (each for each in spaced if unicodedata.category(each)[0] != "C")
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).split())
