"""Rendering: types follow the sample, nested values unfold, missing ones have their rules."""

import pytest

from apps.webhooks.formats import Format
from apps.webhooks.mapping import FieldMapping, Formatter, Kind, Mapping, ValueType, WhenEmpty
from tests.webhooks.rendered import (
    EMPTY_CALL,
    mapped,
    render,
    render_json,
    render_pairs,
    render_xml,
)


class TestTypes:
    def test_follow_the_sample_in_json(self):
        mapping = Mapping(
            tuple(
                FieldMapping(f"$.{place}", Kind.TOKEN, token=token)
                for place, token in {
                    "text": "dialed_time",
                    "number": "dialed_time",
                    "decimal": "visitor_lat",
                    "flag": "repeat_caller",
                    "null": "ring_count",
                    "null_flag": "repeat_caller",
                    "null_text": "ani_zip",
                    "object": "tags",
                }.items()
            )
        )
        sample = """{"text": "7", "number": 7, "decimal": 1.0, "flag": false, "null": null,
            "null_flag": null, "null_text": null, "object": {"a": 1}}"""
        assert render(Format.JSON, sample, mapping=mapping) == (
            b'{"text":"36","number":36,"decimal":34.153500,"flag":true,"null":4,'
            b'"null_flag":true,"null_text":"50035","object":{"Region":"south"}}'
        )

    def test_can_be_changed(self):
        sample = '{"a": "x", "b": 1, "c": "x", "d": "x", "e": "x"}'
        mapping = Mapping(
            (
                FieldMapping("$.a", Kind.TOKEN, token="ring_count", type=ValueType.NUMBER),
                FieldMapping("$.b", Kind.TOKEN, token="ring_count", type=ValueType.STRING),
                FieldMapping("$.c", Kind.TOKEN, token="repeat_caller", type=ValueType.BOOLEAN),
                FieldMapping("$.d", Kind.TOKEN, token="tags", type=ValueType.STRING),
                FieldMapping("$.e", Kind.TOKEN, token="ring_count", type=ValueType.JSON),
            )
        )
        assert render_json(sample, mapping=mapping) == {
            "a": 4,
            "b": "4",
            "c": True,
            "d": '{"Region":"south"}',
            "e": 4,
        }

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("36", b"36"),
            (" 007 ", b"7"),
            ("1e3", b"1000"),
            (7.5, b"7.5"),
            (2**70, str(2**70).encode()),
            ("-0.50", b"-0.50"),
            ("abc", b"null"),
            ("NaN", b"null"),
            ("1e999999", b"null"),
            ("9" * 1000, b"null"),
            (True, b"null"),
            ([1], b"null"),
        ],
    )
    def test_send_null_for_what_is_no_number(self, value, expected):
        mapping = mapped("$", kind=Kind.TOKEN, token="custom.x")
        assert render(Format.JSON, "1", {"custom": {"x": value}}, mapping) == expected

    def test_hold_in_xml_and_forms(self):
        mapping = mapped("/a", kind=Kind.TOKEN, token="custom.x", type=ValueType.NUMBER)
        assert render_xml("<a>1</a>", {"custom": {"x": "abc"}}, mapping) == "<a></a>"
        assert render_xml("<a>1</a>", {"custom": {"x": "07"}}, mapping) == "<a>7</a>"
        mapping = mapped("a", kind=Kind.TOKEN, token="repeat_caller", type=ValueType.BOOLEAN)
        assert render(Format.FORM, "a=1", {"repeat_caller": True}, mapping) == b"a=true"


class TestNested:
    ANSWERS = {
        "responses": [{"question": "one", "response": "1"}, {"question": "two", "response": "<2>"}]
    }

    def test_become_text_inside_a_longer_text(self):
        assert render_json('"Tags: %tags%"') == 'Tags: {"Region":"south"}'

    def test_become_elements_in_the_namespace_around_them(self):
        sample = '<x:a xmlns:x="urn:x">%tags%</x:a>'
        expected = '<x:a xmlns:x="urn:x"><x:tag name="Region">south</x:tag></x:a>'
        assert render_xml(sample) == expected

    def test_become_elements_by_the_names_of_custom_fields(self):
        snapshot = {"custom": {"x": {"car": {"make": "Ram"}, "odd key": ["a", 1, None]}}}
        assert render_xml("<a>%custom.x%</a>", snapshot) == (
            "<a><car><make>Ram</make></car>"
            '<field name="odd key"><item>a</item><item>1</item><item></item></field></a>'
        )

    def test_become_json_in_xml_attributes_and_forms(self):
        assert render_xml('<a b="%tags%"/>') == (
            '<a b="{&quot;Region&quot;:&quot;south&quot;}"></a>'
        )
        assert render_pairs(Format.FORM, "a=%tags%") == [("a", '{"Region":"south"}')]

    def test_repeat_an_array_for_each_answer(self):
        sample = '{"a": [{"q": "%question%", "r": "%response%", "by": "%ani%"}, {"q": "other"}]}'
        snapshot = {**self.ANSWERS, "from": "+17776734736"}
        assert render_json(sample, snapshot) == {
            "a": [
                {"q": "one", "r": "1", "by": "7776734736"},
                {"q": "two", "r": "<2>", "by": "7776734736"},
            ]
        }
        assert render_json(sample, EMPTY_CALL) == {"a": []}

    def test_repeat_an_array_of_texts(self):
        assert render_json('["%question%: %response%"]', self.ANSWERS) == ["one: 1", "two: <2>"]

    def test_repeat_an_element_for_each_answer(self):
        sample = "<r><l><i q='%question%'>%response%</i></l><by>%ani%</by></r>"
        assert render_xml(sample, self.ANSWERS) == (
            '<r><l><i q="one">1</i><i q="two">&lt;2&gt;</i></l><by></by></r>'
        )
        assert render_xml(sample, EMPTY_CALL) == "<r><l></l><by></by></r>"

    def test_do_not_repeat_an_element_that_holds_other_tokens(self):
        sample = "<r><l><by>%ani%</by><q>%question%</q><a>%response%</a></l></r>"
        assert render_xml(sample, self.ANSWERS) == (
            "<r><l><by></by><q>one, two</q><a>1, &lt;2&gt;</a></l></r>"
        )

    def test_repeat_over_a_custom_list(self):
        mapping = Mapping(
            (
                FieldMapping("$.cars", Kind.REPEAT, token="custom.cars"),
                FieldMapping("$.cars[0].make", Kind.TOKEN, token="custom.cars.make"),
            )
        )
        snapshot = {"custom": {"cars": [{"make": "Ram"}, {"make": "Kia"}]}}
        assert render_json('{"cars": [{"make": "x", "n": 1}]}', snapshot, mapping) == {
            "cars": [{"make": "Ram", "n": 1}, {"make": "Kia", "n": 1}]
        }


class TestMissing:
    @pytest.mark.parametrize(
        ("sample", "token", "options", "expected"),
        [
            ('"x"', "ani_city", {}, ""),
            ("1", "ring_count", {}, None),
            ("true", "repeat_caller", {}, None),
            ("null", "ani_city", {}, None),
            ('"x"', "tags", {}, {}),
            ('"x"', "prompt_responses", {}, []),
            ('"x"', "tags", {"type": ValueType.STRING}, ""),
            ('"x"', "ani_city", {"when_empty": WhenEmpty.NULL}, None),
            ('"x"', "ani_city", {"default": "nowhere"}, "nowhere"),
            ("1", "ring_count", {"default": "0"}, 0),
            ("true", "repeat_caller", {"default": "no"}, False),
        ],
    )
    def test_sends_the_default_or_the_empty_value_of_its_type(
        self, sample, token, options, expected
    ):
        mapping = mapped("$.a", kind=Kind.TOKEN, token=token, **options)
        assert render_json(f'{{"a": {sample}}}', EMPTY_CALL, mapping) == {"a": expected}

    @pytest.mark.parametrize("call", [{}, {"from": ""}, {"from": None}])
    def test_can_leave_the_place_out(self, call):
        options = {"kind": Kind.TOKEN, "token": "ani", "when_empty": WhenEmpty.OMIT}
        sample = '{"first": 1, "ani": "x", "list": ["x", 2]}'
        mapping = Mapping((FieldMapping("$.ani", **options), FieldMapping("$.list[0]", **options)))
        assert render_json(sample, call, mapping) == {"first": 1, "list": [2]}
        assert render_json(sample, mapping=mapping)["list"] == ["7776734736", 2]
        sample = '<r><phone type="voice">1</phone><b ani="1">2</b></r>'
        mapping = Mapping(
            (FieldMapping("/r/phone", **options), FieldMapping("/r/b/@ani", **options))
        )
        assert render_xml(sample, call, mapping) == "<r><b>2</b></r>"
        assert render_xml(sample, mapping=mapping) == (
            '<r><phone type="voice">7776734736</phone><b ani="7776734736">2</b></r>'
        )
        assert render_pairs(Format.FORM, "ani=1&b=2", call, mapped("ani", **options)) == [
            ("b", "2")
        ]
        assert render_pairs(Format.FORM, "ani=1", call, mapped("ani", **options)) == []

    @pytest.mark.parametrize("value", [None, "", [], {}])
    def test_takes_empty_nested_values_for_nothing(self, value):
        options = {"kind": Kind.TOKEN, "token": "custom.x", "default": "none"}
        call = {"custom": {"x": value}}
        assert render_json('{"a": "x"}', call, mapped("$.a", **options)) == {"a": "none"}
        assert render_xml('<a b="x"/>', call, mapped("/a/@b", **options)) == '<a b="none"></a>'
        assert render_xml("<a>x</a>", call, mapped("/a", **options)) == "<a>none</a>"
        assert render(Format.FORM, "a=x", call, mapped("a", **options)) == b"a=none"

    @pytest.mark.parametrize(("value", "text"), [(0, "0"), (False, "false"), (0.0, "0.0")])
    def test_takes_zero_and_false_for_values(self, value, text):
        options = {"kind": Kind.TOKEN, "token": "custom.x", "default": "none"}
        call = {"custom": {"x": value}}
        assert render_json('{"a": "x"}', call, mapped("$.a", **options)) == {"a": text}
        assert render_xml('<a b="x"/>', call, mapped("/a/@b", **options)) == f'<a b="{text}"></a>'
        assert render_xml("<a>x</a>", call, mapped("/a", **options)) == f"<a>{text}</a>"
        assert render(Format.FORM, "a=x", call, mapped("a", **options)) == f"a={text}".encode()

    def test_leaves_out_what_the_mapping_omits(self):
        mapping = Mapping((FieldMapping("$.a", Kind.OMIT), FieldMapping("$.c", Kind.OMIT)))
        assert render_json('{"a": 1, "b": 2, "c": {"d": 1}}', mapping=mapping) == {"b": 2}
        mapping = Mapping((FieldMapping("/r/a", Kind.OMIT), FieldMapping("/r/b/@c", Kind.OMIT)))
        assert render_xml('<r><a>1</a><b c="1">2</b></r>', mapping=mapping) == "<r><b>2</b></r>"
        mapping = mapped("a", kind=Kind.OMIT)
        assert render_pairs(Format.QUERY, "a=1&b=2", mapping=mapping) == [("b", "2")]

    def test_counts_what_a_formatter_cannot_take_as_missing(self):
        mapping = mapped(
            "$",
            kind=Kind.TOKEN,
            token="ani",
            formatters=(Formatter("phone", {"style": "digits"}),),
            default="withheld",
        )
        assert render_json('"x"', {"from": "anonymous"}, mapping) == "withheld"
        assert render_json('"x"', {"from": "+17776734736"}, mapping) == "17776734736"
