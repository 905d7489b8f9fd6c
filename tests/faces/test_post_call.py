"""The parameters of a post-call action: written as a template, and read back from it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.faces.post_call import (
    Chosen,
    InvalidParameters,
    Parameters,
    read,
    static_as_text,
    static_from,
    template_of,
)
from apps.webhooks.formats import Format
from apps.webhooks.gallery.parameters import ATTRIBUTION, POST_CALL
from apps.webhooks.mapping import Mapping, from_plain, to_plain

FORMATS = pytest.mark.parametrize("target", [Format.QUERY, Format.FORM])
TEXTS = st.text("ab1&=%+#?/ é🦊", max_size=8)
NAMES = st.text("ab1&=%+#?/ é🦊", min_size=1, max_size=8)
LABELS = """All Actions|Click Description|Call Duration|Call Type|Called Number|Caller ID|Click ID
Date/Time|Enhanced Minutes|First Action|Intelligent Minutes|Last Action|Lookup - City
Lookup - First Name|Lookup - Last Name|Lookup - State|Lookup - Street Address|Lookup - ZIP Code
Phone Label|Recording Duration (seconds)|Rounded Enhanced Minutes|Rounded Intelligent Minutes
Rounded Talk Minutes|SID|Talk Minutes|Transfer Type|Transferred to Number"""


class TestCatalogue:
    def test_has_the_27_parameters_of_the_document(self) -> None:
        documented = LABELS.replace("\n", "|").split("|")
        assert [parameter.label for parameter in POST_CALL.values()] == documented
        lookups = {label for label in documented if label.startswith("Lookup")}
        assert {each.label for each in POST_CALL.values() if each.needs_lookup} == lookups

    def test_has_the_22_attribution_parameters(self) -> None:
        assert len({each.key for each in ATTRIBUTION}) == 22
        assert all(each.key.startswith("st_") for each in ATTRIBUTION)


class TestTemplate:
    @FORMATS
    @given(
        static=st.dictionaries(NAMES, TEXTS, max_size=5),
        keys=st.lists(st.sampled_from(list(POST_CALL)), max_size=8),
        names=st.lists(NAMES, min_size=8, max_size=8, unique=True),
        has_attribution=st.booleans(),
    )
    def test_is_read_back_as_it_was(self, target, static, keys, names, has_attribution) -> None:
        taken = {*static, *(each.key for each in ATTRIBUTION)}
        dynamic = [
            Chosen(key, name) for key, name in zip(keys, names, strict=False) if name not in taken
        ]
        wanted = Parameters(
            tuple(static.items()), tuple(dynamic), has_attribution or not (static or dynamic)
        )
        sample, mapping = template_of(wanted, target)
        assert read(sample, from_plain(to_plain(mapping)), target) == wanted

    @FORMATS
    def test_that_was_changed_elsewhere_is_not_read(self, target) -> None:
        sample, mapping = template_of(
            Parameters((), (Chosen("caller_id", "from"),), has_attribution=True), target
        )
        first, *others = mapping.fields
        assert read(sample, Mapping((replace(first, default="nobody"), *others)), target) is None
        assert read(sample, Mapping(tuple(others)), target) != read(sample, mapping, target)
        assert read(sample.removesuffix("&st_url_tag=%url_tag%"), mapping, target) is None
        assert read(f"{sample}&more=1", mapping, target) is None
        assert read("", mapping, target) is None

    def test_needs_a_parameter_and_each_name_once(self) -> None:
        for parameters in (
            Parameters(),
            Parameters((("a", "1"), ("a", "2"))),
            Parameters((("a", "1"),), (Chosen("sid", "a"),)),
            Parameters((), (Chosen("sid", "st_os"),), has_attribution=True),
        ):
            with pytest.raises(InvalidParameters):
                template_of(parameters, Format.QUERY)


class TestStaticParameters:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", ()),
            ("client_id=1234", (("client_id", "1234"),)),
            ("?a=1&b=2&", (("a", "1"), ("b", "2"))),
            ("a=x%26y+z&b==", (("a", "x&y z"), ("b", "="))),
            ("a=", (("a", ""),)),
            ("note=50% off %ani%", (("note", "50% off %ani%"),)),
        ],
    )
    def test_are_names_with_values(self, text, expected) -> None:
        assert static_from(text) == expected
        assert static_from(static_as_text(expected)) == expected

    @pytest.mark.parametrize(
        "text",
        ["a", "=1", "a=1&b", "a=%ff", "a=1%0d%0aX:1", "&".join(["a=1"] * 51), "a" * 101 + "=1"],
    )
    def test_are_refused_otherwise(self, text) -> None:
        with pytest.raises(InvalidParameters):
            static_from(text)
