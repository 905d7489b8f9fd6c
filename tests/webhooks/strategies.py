"""What property tests draw from: samples of each format, snapshots, hostile values."""

import json
from typing import Any
from urllib.parse import quote_plus
from xml.sax.saxutils import escape, quoteattr

from hypothesis import strategies as st

HOSTILE_VALUES = {
    "ends a JSON string": '"},"admin":true,{"',
    "is a script": "<script>alert('x')</script>",
    "ends a CDATA section": "]]> & &lt; <!-- -->",
    "looks like a token": "%ani% %tags.Region% 100%",
    "has line breaks": "line one\nline two\r\nline three\ttab",
    "has control characters": "nul\x00 bell\x07 escape\x1b",
    "has 10,000 emoji": "\U0001f600" * 10_000,
    "has lone surrogates": "high \ud83d low \ude00 end",
    "has non-characters": "\ufffe\uffff",
    "ends a parameter": "a&admin=true#x=1;y+z%20",
    "goes from right to left": "\u202e\u200f\u05e9\u05dc",
}

_KEYS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=8)
_TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=12)
_NUMBERS = st.one_of(
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(min_value=2**64, max_value=2**80),
)

json_values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), _NUMBERS, _TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_KEYS, inner, max_size=4)),
    max_leaves=20,
)
"""JSON values that a sample may hold."""

json_samples = json_values.map(json.dumps)

snapshots = st.dictionaries(
    st.sampled_from(
        ["call_id", "from", "duration_s", "caller", "visitor", "tags", "custom", "responses"]
    ),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)
        ),
    )
    | st.fixed_dictionaries({"first_name": st.text(), "Region": st.text()}),
)
"""Calls that hold anything anywhere."""

pair_samples = st.lists(st.tuples(_TEXTS.filter(bool), _TEXTS), min_size=1, max_size=6).map(
    lambda pairs: "&".join(f"{quote_plus(n)}={quote_plus(v)}" for n, v in pairs)
)

_NAMES = st.sampled_from(["lead", "name", "phone", "p:item", "p:lead", "a.b-c_d", "été"])
_XML_TEXTS = st.text(
    st.characters(
        exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff", codec="utf-8"
    ),
    max_size=10,
)
_MARKUP = st.sampled_from(["<!-- a comment -->", '<?adf version="1.0"?>', "<![CDATA[<raw> & ]]>"])


@st.composite
def _start_tags(draw: st.DrawFn, name: str) -> str:
    names = draw(
        st.lists(st.sampled_from(["part", "type", "p:kind", "xml:lang"]), unique=True, max_size=3)
    )
    attributes = [f"{each}={quoteattr(draw(_XML_TEXTS))}" for each in names]
    attributes += draw(
        st.lists(
            st.sampled_from(['xmlns="urn:one"', 'xmlns:p="urn:other"', 'xmlns:q="urn:unused"']),
            unique=True,
            max_size=2,
        )
    )
    return " ".join([name, *attributes])


@st.composite
def _element(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    name = draw(_NAMES)
    content = "".join(draw(st.lists(st.one_of(inner, _XML_TEXTS.map(escape), _MARKUP), max_size=4)))
    return f"<{draw(_start_tags(name))}>{content}</{name}>"


@st.composite
def xml_samples(draw: st.DrawFn) -> str:
    """Documents with namespaces, attributes, repeated elements, mixed content and markup."""
    content = draw(st.recursive(_element(st.just("")), _element, max_leaves=12))
    before = draw(st.sampled_from(["", '<?xml version="1.0" encoding="ISO-8859-1"?>\n']))
    around = st.sampled_from(["", "<!-- around -->", '<?adf version="1.0"?>\n'])
    return f'{before}{draw(around)}<root xmlns:p="urn:p">{content}</root>{draw(around)}'
