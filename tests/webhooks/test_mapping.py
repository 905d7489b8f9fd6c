"""Mappings: the one a sample brings along, the plain form, and what does not fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.webhooks.extraction import extract
from apps.webhooks.formats import Format
from apps.webhooks.mapping import (
    FieldMapping,
    Formatter,
    Kind,
    Mapping,
    MappingError,
    ValueType,
    WhenEmpty,
    auto_map,
    check,
    find_problems,
    from_plain,
    to_plain,
)


def brought_along(text, form=Format.JSON):
    return auto_map(extract(text, form))


def problems(text, *fields, form=Format.JSON):
    found = find_problems(Mapping(fields), extract(text, form))
    return [(problem.path, problem.message) for problem in found]


class TestAutoMap:
    def test_maps_whole_tokens_and_texts_with_tokens(self):
        mapping = brought_along(
            '{"phone": "%ani%", "note": "Call %callid% by %ani%", "source": "phone", "n": 7}'
        )
        assert mapping.fields == (
            FieldMapping("$.phone", Kind.TOKEN, token="ani"),
            FieldMapping("$.note", Kind.TEXT, text="Call %callid% by %ani%"),
        )
        assert mapping.get("$.source") == FieldMapping("$.source", Kind.CONSTANT)
        assert mapping.tokens == {"ani", "callid"}

    def test_maps_attributes_and_elements(self):
        mapping = brought_along('<r><phone id="%callid%">%ani%</phone></r>', Format.XML)
        assert mapping.fields == (
            FieldMapping("/r/phone/@id", Kind.TOKEN, token="callid"),
            FieldMapping("/r/phone", Kind.TOKEN, token="ani"),
        )

    def test_repeats_the_innermost_array_around_parts_of_answers(self):
        mapping = brought_along(
            '{"list": [{"answers": [{"q": "%question%", "a": "%response%", "id": "x"}]}]}'
        )
        assert mapping.get("$.list[0].answers") == FieldMapping(
            "$.list[0].answers", Kind.REPEAT, token="prompt_responses"
        )
        assert mapping.get("$.list").is_as_sample

    def test_repeats_an_element_around_parts_of_answers(self):
        sample = "<r><a><q>%question%</q><x>%response%: %question_link%</x></a></r>"
        mapping = brought_along(sample, Format.XML)
        assert mapping.get("/r/a") == FieldMapping("/r/a", Kind.REPEAT, token="prompt_responses")

    def test_does_not_repeat_the_root_or_a_single_value(self):
        for sample in (
            "<r><q>%question%</q><a>%response%</a></r>",
            "<r><l><q>%question%</q></l></r>",
        ):
            kinds = {field.kind for field in brought_along(sample, Format.XML).fields}
            assert kinds == {Kind.TOKEN}

    def test_tells_encoded_percent_signs_from_tokens(self):
        mapping = brought_along("a=%ani%&b=%25ani%25&c=%C3%A9+%account_id%", Format.FORM)
        assert mapping.fields == (
            FieldMapping("a", Kind.TOKEN, token="ani"),
            FieldMapping("c", Kind.TEXT, text="é %account_id%"),
        )

    def test_names_every_unknown_token_with_its_place(self):
        with pytest.raises(MappingError) as error:
            brought_along('{"a": "%anni%", "b": ["%ani% %zzz%"]}')
        assert [problem.path for problem in error.value.problems] == ["$.a", "$.b[0]"]
        assert error.value.message == "There is no token %anni%. Did you mean %ani%?"


class TestPlainForm:
    FIELDS = st.builds(
        FieldMapping,
        path=st.text(min_size=1),
        kind=st.sampled_from(Kind),
        token=st.text(),
        text=st.text(),
        constant=st.none() | st.text(),
        formatters=st.lists(
            st.builds(
                Formatter,
                st.text(),
                st.dictionaries(st.text().filter(lambda key: key != "name"), st.integers()),
            ),
            max_size=2,
        ).map(tuple),
        default=st.none() | st.text(),
        when_empty=st.sampled_from(WhenEmpty),
        type=st.sampled_from(ValueType),
    )

    @given(st.lists(FIELDS, unique_by=lambda field: field.path))
    def test_gives_back_the_mapping(self, fields):
        mapping = Mapping(tuple(fields))
        assert from_plain(to_plain(mapping)) == mapping

    def test_leaves_out_what_has_its_default_value(self):
        mapping = Mapping(
            (
                FieldMapping(
                    "$.a",
                    Kind.TOKEN,
                    token="ani",
                    formatters=(Formatter("phone", {"style": "e164"}),),
                ),
            )
        )
        assert to_plain(mapping) == [
            {
                "path": "$.a",
                "kind": "token",
                "token": "ani",
                "formatters": [{"name": "phone", "style": "e164"}],
            }
        ]

    @pytest.mark.parametrize(
        ("plain", "path", "part"),
        [
            ({}, "", "a list of field mappings"),
            (None, "", "a list of field mappings"),
            (["x"], "[0]", "is an object"),
            ([{"kind": "omit"}], "[0]", 'needs its "path"'),
            ([{"path": "", "kind": "omit"}], "[0]", 'needs its "path"'),
            ([{"path": "$.a", "kind": "magic"}], "$.a", "one of token, constant"),
            ([{"path": "$.a", "kind": ["x"]}], "$.a", "one of token, constant"),
            ([{"path": "$.a", "when_empty": "panic"}], "$.a", "keep, null, omit"),
            ([{"path": "$.a", "type": 1}], "$.a", "one of sample, string"),
            ([{"path": "$.a", "token": 7}], "$.a", '"token" must be text'),
            ([{"path": "$.a", "colour": "red"}], "$.a", 'no option "colour"'),
            ([{"path": "$.a", "formatters": {}}], "$.a", "must be a list"),
            ([{"path": "$.a", "formatters": ["x"]}], "$.a", 'with a "name"'),
            ([{"path": "$.a", "formatters": [{"name": "escape"}] * 7}], "$.a", "at most 6"),
            ([{"path": "$.a"}] * 10_001, "", "at most 10,000"),
            ([{"path": "$.a"}, {"path": "$.a"}], "$.a", "mapped twice"),
        ],
    )
    def test_is_refused_with_the_place(self, plain, path, part):
        with pytest.raises(MappingError) as error:
            from_plain(plain)
        assert error.value.path == path
        assert part in error.value.message

    def test_is_refused_with_all_its_problems(self):
        with pytest.raises(MappingError) as error:
            from_plain([{"path": "$.a", "kind": "x", "type": "y"}, {"path": "$.b", "text": 1}])
        assert [problem.path for problem in error.value.problems] == ["$.a", "$.a", "$.b"]


class TestCheck:
    SAMPLE = '{"text": "x", "number": 1, "flag": true, "none": null, "list": [1], "empty": []}'

    @pytest.mark.parametrize(
        ("field", "part"),
        [
            (FieldMapping("$.gone", Kind.OMIT), "no such place"),
            (FieldMapping("$.text", Kind.TOKEN, token="anni"), "Did you mean %ani%?"),
            (FieldMapping("$.text", Kind.TOKEN), "no token"),
            (FieldMapping("$.text", Kind.TEXT, text="a %anni%"), "Did you mean %ani%?"),
            (FieldMapping("$", Kind.OMIT), "root cannot be left out"),
            (
                FieldMapping("$", Kind.TOKEN, token="tags", when_empty=WhenEmpty.OMIT),
                "root cannot be left out",
            ),
            (FieldMapping("$.list", Kind.REPEAT, token="ani"), "no list"),
            (FieldMapping("$.list", Kind.REPEAT, token="nope"), "no token"),
            (FieldMapping("$.text", Kind.REPEAT, token="prompt_responses"), "Only a list"),
            (FieldMapping("$.empty", Kind.REPEAT, token="prompt_responses"), "Only a list"),
            (FieldMapping("$.number", constant="seven"), '"seven" is no number'),
            (FieldMapping("$.flag", constant="maybe"), "neither true nor false"),
            (FieldMapping("$.text", constant="x", type=ValueType.NUMBER), "no number"),
            (FieldMapping("$.text", constant="{", type=ValueType.JSON), "not JSON"),
            (FieldMapping("$.text", constant="a\x00"), "U+0000"),
            (FieldMapping("$.text", constant="x" * 10_001), "10,000 characters"),
            (
                FieldMapping("$.number", Kind.TOKEN, token="ring_count", default="none"),
                '"none" is no number',
            ),
            (
                FieldMapping("$.none", Kind.TOKEN, token="ring_count", default="none"),
                '"none" is no number',
            ),
            (
                FieldMapping("$.text", Kind.TOKEN, token="ani", formatters=(Formatter("case"),)),
                '"style" must be one of',
            ),
        ],
    )
    def test_names_what_does_not_fit(self, field, part):
        [(path, message)] = problems(self.SAMPLE, field)
        assert path == field.path
        assert part in message

    def test_takes_what_fits(self):
        fields = (
            FieldMapping("$.number", constant="1.50"),
            FieldMapping("$.none", constant="any text"),
            FieldMapping("$.text", constant="[1]", type=ValueType.JSON),
            FieldMapping("$.list", Kind.REPEAT, token="custom.items"),
            FieldMapping("$.list[0]", Kind.TOKEN, token="custom.items", default="0"),
        )
        check(Mapping(fields), extract(self.SAMPLE, Format.JSON))

    @pytest.mark.parametrize("path", ["/r", "/r/@a", "/r/text()[1]"])
    def test_repeats_only_elements_inside_the_root(self, path):
        field = FieldMapping(path, Kind.REPEAT, token="prompt_responses")
        [(_, message)] = problems('<r a="1">text<b/></r>', field, form=Format.XML)
        assert "element inside the root" in message

    def test_never_repeats_a_parameter(self):
        field = FieldMapping("a", Kind.REPEAT, token="prompt_responses")
        [(_, message)] = problems("a=1", field, form=Format.FORM)
        assert "Only a list in JSON" in message

    def test_reports_all_problems_in_one_error(self):
        fields = (FieldMapping("$.x"), FieldMapping("$.y"))
        with pytest.raises(MappingError) as error:
            check(Mapping(fields), extract("{}", Format.JSON))
        assert [problem.path for problem in error.value.problems] == ["$.x", "$.y"]
        assert str(error.value).startswith("$.x: ")
