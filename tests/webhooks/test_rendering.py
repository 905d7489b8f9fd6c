"""Rendering: values arrive as data, in the type the sample asks for, in every format."""

import json
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from lxml import etree

from apps.webhooks.extraction import SampleError
from apps.webhooks.formats import Format
from apps.webhooks.mapping import (
    FieldMapping,
    Formatter,
    Kind,
    Mapping,
    MappingError,
    ValueType,
    WhenEmpty,
)
from apps.webhooks.rendering import compile_template, compile_text
from apps.webhooks.tokens import EXAMPLE_SNAPSHOT, TOKENS, TokenType, UnknownToken
from tests.webhooks.strategies import (
    HOSTILE_VALUES,
    json_samples,
    pair_samples,
    snapshots,
    xml_samples,
)

CONSTANTS = Mapping()
EMPTY_CALL: dict[str, object] = {}


def render(form, sample, snapshot=EXAMPLE_SNAPSHOT, mapping=None):
    return compile_template(format=form, sample=sample, mapping=mapping).render(snapshot)


def render_json(sample, snapshot=EXAMPLE_SNAPSHOT, mapping=None):
    return json.loads(render(Format.JSON, sample, snapshot, mapping))


def render_xml(sample, snapshot=EXAMPLE_SNAPSHOT, mapping=None):
    return render(Format.XML, sample, snapshot, mapping).decode()


def render_pairs(form, sample, snapshot=EXAMPLE_SNAPSHOT, mapping=None):
    rendered = render(form, sample, snapshot, mapping).decode("ascii")
    return parse_qsl(rendered, keep_blank_values=True, strict_parsing=bool(rendered))


def mapped(path, **options):
    return Mapping((FieldMapping(path, **options),))


def exactly(text):
    return json.loads(text, parse_float=Decimal, object_pairs_hook=list)


def canonical(xml):
    return etree.tostring(etree.fromstring(xml).getroottree(), method="c14n", with_comments=True)


class TestConstants:
    @given(json_samples)
    def test_give_back_a_json_sample(self, sample):
        assert exactly(render(Format.JSON, sample, EMPTY_CALL, CONSTANTS)) == exactly(sample)

    @given(xml_samples())
    def test_give_back_an_xml_sample_canonically(self, sample):
        rendered = render(Format.XML, sample, EMPTY_CALL, CONSTANTS)
        assert canonical(rendered) == canonical(sample.replace("ISO-8859-1", "UTF-8").encode())

    @pytest.mark.parametrize("form", [Format.FORM, Format.QUERY])
    @given(sample=pair_samples)
    def test_give_back_the_pairs_of_a_form_or_query(self, form, sample):
        expected = parse_qsl(sample, keep_blank_values=True)
        assert render_pairs(form, sample, EMPTY_CALL, CONSTANTS) == expected

    def test_keep_numbers_as_they_are_written(self):
        sample = '{"price":1.10,"big":12345678901234567890123,"exponent":1E5}'
        assert render(Format.JSON, sample, mapping=CONSTANTS).decode() == sample

    def test_keep_processing_instructions_and_comments(self):
        sample = '<?adf version="1.0"?>\n<adf><!-- c --><a>1</a></adf>\n<!-- end -->'
        assert render_xml(sample) == sample

    def test_declare_utf8_where_the_sample_has_a_declaration(self):
        sample = '<?xml version="1.0" encoding="latin-1" standalone="yes"?><a>é</a>'
        expected = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<a>é</a>'
        assert render_xml(sample) == expected

    def test_can_replace_what_stands_in_the_sample(self):
        mapping = mapped("$.a", kind=Kind.CONSTANT, constant="8.50")
        assert render(Format.JSON, '{"a": 7}', mapping=mapping) == b'{"a":8.50}'

    def test_can_be_any_json(self):
        mapping = mapped("$.a", constant='{"n": [1.10, null]}', type=ValueType.JSON)
        assert render(Format.JSON, '{"a": 7}', mapping=mapping) == b'{"a":{"n":[1.10,null]}}'


class TestCatalogue:
    @pytest.mark.parametrize("token", TOKENS.values(), ids=lambda token: token.name)
    def test_renders_each_example_in_json(self, token):
        assert render_json(f'{{"value": "%{token.name}%"}}') == {"value": token.example}

    @pytest.mark.parametrize("token", TOKENS.values(), ids=lambda token: token.name)
    def test_renders_each_example_in_xml(self, token):
        root = etree.fromstring(render_xml(f'<r v="%{token.name}%">%{token.name}%</r>').encode())
        if token.type is TokenType.LIST:
            found = [{part.tag: part.text for part in item} for item in root]
            assert [item.tag for item in root] == ["prompt_response"]
        elif token.type is TokenType.OBJECT:
            found = {tag.get("name"): tag.text for tag in root.iterchildren("tag")}
        else:
            found = root.text
            assert root.get("v") == token.example
        assert found == token.example

    @pytest.mark.parametrize("form", [Format.FORM, Format.QUERY])
    @pytest.mark.parametrize("token", TOKENS.values(), ids=lambda token: token.name)
    def test_renders_each_example_in_forms_and_queries(self, form, token):
        [(name, value)] = render_pairs(form, f"value=%{token.name}%")
        assert name == "value"
        assert (json.loads(value) if token.type.is_nested else value) == token.example


@pytest.mark.parametrize("value", HOSTILE_VALUES.values(), ids=HOSTILE_VALUES.keys())
class TestHostileValue:
    """A caller's name, a tag and a custom field that try to be more than data."""

    @staticmethod
    def call(value):
        return {
            "from": "+17776734736",
            "caller": {"first_name": value},
            "tags": {value: value},
            "custom": {"x": {value: [value]}},
        }

    @staticmethod
    def clean(value):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    @classmethod
    def xml_clean(cls, value):
        return "".join(
            "\ufffd" if (c < " " and c not in "\t\n\r") or c in "\ufffe\uffff" else c
            for c in cls.clean(value)
        )

    def test_arrives_as_data_in_json(self, value):
        sample = """{"name": "%ani_first_name%", "text": "Hi %ani_first_name%!",
            "tags": "%tags%", "x": "%custom.x%", "last": "%ani%"}"""
        clean = self.clean(value)
        assert render_json(sample, self.call(value)) == {
            "name": clean,
            "text": f"Hi {clean}!",
            "tags": {clean: clean},
            "x": {clean: [clean]},
            "last": "7776734736",
        }

    def test_arrives_as_data_in_xml(self, value):
        sample = """<r a="%ani_first_name%"><n>%ani_first_name%</n>mixed %ani_first_name%!
            <t>%tags%</t><x>%custom.x%</x></r>"""
        root = etree.fromstring(render_xml(sample, self.call(value)).encode())
        clean = self.xml_clean(value)
        assert root.get("a") == clean
        assert root.findtext("n") == clean
        assert root.find("n").tail.strip() == f"mixed {clean}!".strip()
        assert [(tag.get("name"), tag.text) for tag in root.find("t")] == [(clean, clean)]
        assert [field.findtext("item") for field in root.find("x")] == [clean]
        assert [child.tag for child in root] == ["n", "t", "x"]

    @pytest.mark.parametrize("form", [Format.FORM, Format.QUERY])
    def test_arrives_as_data_in_forms_and_queries(self, value, form):
        sample = "first=%ani_first_name%&text=a+%ani_first_name%&last=%ani%"
        clean = self.clean(value)
        assert render_pairs(form, sample, self.call(value)) == [
            ("first", clean),
            ("text", f"a {clean}"),
            ("last", "7776734736"),
        ]

    def test_stays_on_one_line_in_a_header(self, value):
        rendered = compile_text("X %ani_first_name% Y").render(self.call(value))
        assert rendered.isprintable() or not any(c < " " or c == "\x7f" for c in rendered)
        assert len(rendered.splitlines()) == 1
        rendered.encode()


class TestAnyCall:
    SAMPLES = (
        (
            Format.JSON,
            """{"a": "%ani%", "b": 1, "c": true, "d": "%tags%", "e": "%custom.a%",
            "f": [{"q": "%question%"}], "g": "x %tags.Region% %ani_first_name%", "h": null}""",
        ),
        (
            Format.XML,
            """<r a="%custom.a%"><b>%tags%</b><c>%custom.a%</c>
            <l><i><q>%question%</q><r>%response%</r></i></l><d>%prompt_responses%</d></r>""",
        ),
        (Format.FORM, "a=%ani%&b=%tags%&c=%custom.a%&d=%prompt_responses%&e=%ani_first_name%"),
    )

    @given(snapshots)
    def test_renders_to_something_that_parses(self, snapshot):
        for form, sample in self.SAMPLES:
            template = compile_template(format=form, sample=sample)
            rendered = template.render(snapshot)
            match form:
                case Format.JSON:
                    assert isinstance(json.loads(rendered), dict)
                case Format.XML:
                    assert etree.fromstring(rendered).tag == "r"
                case _:
                    assert len(parse_qsl(rendered.decode(), keep_blank_values=True)) == 5


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


class TestTemplate:
    def test_names_its_tokens_and_content_type(self):
        template = compile_template(
            format=Format.JSON, sample='{"a": "%ani%", "b": "%tags.x% %callid%", "c": "constant"}'
        )
        assert template.tokens == {"ani", "tags.x", "callid"}
        assert template.content_type == "application/json"

    @pytest.mark.parametrize(
        ("form", "content_type"),
        [
            (Format.XML, "application/xml"),
            (Format.FORM, "application/x-www-form-urlencoded"),
            (Format.QUERY, None),
        ],
    )
    def test_has_a_content_type_where_it_has_a_body(self, form, content_type):
        assert form.content_type == content_type

    def test_writes_blanks_as_forms_and_queries_do(self):
        assert render(Format.FORM, "a=b+c") == b"a=b+c"
        assert render(Format.QUERY, "a=b+c") == b"a=b%20c"

    def test_is_refused_for_a_sample_that_is_none(self):
        with pytest.raises(SampleError):
            compile_template(format=Format.JSON, sample="{")

    def test_is_refused_for_an_unknown_token_with_its_place(self):
        with pytest.raises(MappingError) as error:
            compile_template(format=Format.JSON, sample='{"a": {"b": "%anni%"}, "c": "%x% %ani%"}')
        assert error.value.path == "$.a.b"
        assert "%ani%" in error.value.message
        assert [problem.path for problem in error.value.problems] == ["$.a.b", "$.c"]

    def test_is_refused_for_a_mapping_that_does_not_fit(self):
        with pytest.raises(MappingError) as error:
            compile_template(format=Format.JSON, sample="{}", mapping=mapped("$.gone"))
        assert error.value.path == "$.gone"


class TestText:
    def test_replaces_tokens_once(self):
        snapshot = {"caller": {"first_name": "%ani%"}, "from": "+17776734736"}
        text = compile_text("Hello %ani_first_name%, 100% %ani%")
        assert text.render(snapshot) == "Hello %ani%, 100% 7776734736"
        assert text.tokens == {"ani", "ani_first_name"}

    def test_has_no_line_breaks_of_its_own_either(self):
        assert compile_text("a\r\nb: %ani%").render(EMPTY_CALL) == "a b:"

    def test_is_refused_for_an_unknown_token(self):
        with pytest.raises(UnknownToken):
            compile_text("%anni%")
