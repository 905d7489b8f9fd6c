"""From the path of a field to the words it is called by.

$.customer.phoneNumbers[0]             (customer) (phone numbers)
$['Call.From']                         (call from)
/adf/contact/name[@part='first']       (adf) (contact) (first name)
lead[first_name]                       (lead) (first name)

A value in which documentation names what belongs there is such a path, too: {{contact.phone}}.
"""

import re
import unicodedata
from functools import lru_cache
from urllib.parse import unquote

Words = tuple[str, ...]
Steps = tuple[Words, ...]
"""The words of each step of a path, from the root to the field itself."""

_JSON_STEP = re.compile(r"\.([^.\[]+)|\['((?:[^'\\]|\\.)*)'\]|\[[0-9]+\]")
_XML_STEP = re.compile(r"/(@?[^/\[]+)((?:\[(?:@[^=\]]+=(?:'[^']*'|\"[^\"]*\")|[0-9]+)\])?)")
_PREDICATE = re.compile(r"\[@[^=]+=['\"](.*)['\"]\]", re.DOTALL)
_PAIR_STEP = re.compile(r"[^.\[\]]+")
_POSITION = re.compile(r"#[0-9]+$")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_PLACEHOLDER = re.compile(
    r"\{\{\{?([^{}]+)\}?\}\}|[$#@]?\{([^{}]+)\}|\[\[?([A-Za-z][^\[\]]*)\]\]?|<<?([A-Za-z][^<>]*)>>?"
)
_LONGEST_PLACEHOLDER = 100
_MOST_STEPS = 12
_MOST_WORDS = 8


@lru_cache(maxsize=8192)
def steps_of(path: str) -> Steps:
    """The words of a path, for any format; what has no letter or digit is left out."""
    named = (words_of(step) for step in _named_steps(path))
    return tuple(words for words in named if words)[-_MOST_STEPS:]


def words_of(name: str) -> Words:
    """The lower-case words of a name, cut at case, digits and punctuation, without accents."""
    folded = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    plain = folded.encode("ascii", "ignore").decode()
    return tuple(word.lower() for word in _WORD.findall(plain)[:_MOST_WORDS])


def placeholder_steps(value: str) -> Steps:
    """The words of a placeholder, as {{contact.phone}}, ${phone}, [phone] or <phone>, by step."""
    if not value or value[0] not in "{[<$#@" or len(value) > _LONGEST_PLACEHOLDER:
        return ()
    found = _PLACEHOLDER.fullmatch(value)
    if found is None:
        return ()
    named = (words_of(step) for step in found[found.lastindex or 0].split("."))
    return tuple(words for words in named if words)[-_MOST_STEPS:]


def is_attribute(path: str) -> bool:
    """Whether the path leads to an attribute of an XML element."""
    return path.startswith("/") and path.rpartition("/")[2].startswith("@")


def _named_steps(path: str) -> list[str]:
    if path.startswith("$"):
        return [match[1] or match[2] or "" for match in _JSON_STEP.finditer(path, 1)]
    if path.startswith("/"):
        return [_xml_name(match[1], match[2]) for match in _XML_STEP.finditer(path)]
    return _PAIR_STEP.findall(unquote(_POSITION.sub("", path)))


def _xml_name(name: str, predicate: str) -> str:
    if name == "text()":
        return ""
    local = name.rpartition(":")[2]
    value = _PREDICATE.fullmatch(predicate)
    if value is None:
        return local
    return f"{local} {value[1]}" if value[1].isdecimal() else f"{value[1]} {local}"
