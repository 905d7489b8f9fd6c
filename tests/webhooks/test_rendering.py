"""Rendering: values arrive as data, in the type the sample asks for, in every format."""

import json
from dataclasses import replace
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from lxml import etree

from apps.webhooks.extraction import SampleError, extract
from apps.webhooks.formats import Format
from apps.webhooks.mapping import (
    Kind,
    Mapping,
    MappingError,
    ValueType,
    WhenEmpty,
    auto_map,
    from_plain,
    to_plain,
)
from apps.webhooks.rendering import compile_template, compile_text
from apps.webhooks.tokens import TOKENS, TokenType, UnknownToken
from tests.webhooks.rendered import (
    EMPTY_CALL,
    mapped,
    render,
    render_json,
    render_pairs,
    render_xml,
)
from tests.webhooks.strategies import (
    HOSTILE_VALUES,
    json_samples,
    pair_samples,
    snapshots,
    xml_samples,
)

CONSTANTS = Mapping()


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


def read_as(element, value):
    """Read back what was written for a nested value, in its own types."""
    if isinstance(value, dict):
        return {part.tag: read_as(part, value[part.tag]) for part in element}
    if isinstance(value, list):
        return [read_as(part, item) for part, item in zip(element, value, strict=True)]
    return type(value)(element.text or "")


class TestCatalogue:
    @pytest.mark.parametrize("token", TOKENS.values(), ids=lambda token: token.name)
    def test_renders_each_example_in_json(self, token):
        assert render_json(f'{{"value": "%{token.name}%"}}') == {"value": token.example}

    @pytest.mark.parametrize("token", TOKENS.values(), ids=lambda token: token.name)
    def test_renders_each_example_in_xml(self, token):
        root = etree.fromstring(render_xml(f'<r v="%{token.name}%">%{token.name}%</r>').encode())
        if token.type is TokenType.LIST:
            assert {item.tag for item in root} == {token.name.removesuffix("s")}
            found = [read_as(item, value) for item, value in zip(root, token.example, strict=True)]
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


class TestOnlyIf:
    """A place that is sent only if a token has a value."""

    DIGITAL = {"campaign": {"kind": "digital"}, "visitor": {"utm_source": "a&b"}}
    OFFLINE = {"campaign": {"kind": "offline"}, "visitor": {"utm_source": "a&b"}}

    @pytest.mark.parametrize(
        ("form", "sample", "path", "with_it", "without"),
        [
            ("query", "a=1&b=%utm_source%", "b", "a=1&b=a%26b", "a=1"),
            ("form", "b=%utm_source%&a=1", "b", "b=a%26b&a=1", "a=1"),
            ("json", '{"a":1,"b":"%utm_source%"}', "$.b", '{"a":1,"b":"a&b"}', '{"a":1}'),
            ("json", '{"b":{"c":"%utm_source%"}}', "$.b", '{"b":{"c":"a&b"}}', "{}"),
            ("json", '["%utm_source%",7]', "$[0]", '["a&b",7]', "[7]"),
            ("xml", "<a><b>%utm_source%</b></a>", "/a/b", "<a><b>a&amp;b</b></a>", "<a></a>"),
            ("xml", '<a b="%utm_source%"/>', "/a/@b", '<a b="a&amp;b"></a>', "<a></a>"),
            ("xml", "<a><b><c/></b></a>", "/a/b", "<a><b><c></c></b></a>", "<a></a>"),
        ],
    )
    def test_is_left_out_where_it_has_none(self, form, sample, path, with_it, without):
        write = self.compiled(form, sample, path)
        assert write(self.DIGITAL).decode() == with_it
        assert write(self.OFFLINE).decode() == without
        assert write({}).decode() == without

    def test_is_null_where_that_is_wanted(self):
        write = self.compiled("json", '{"b":{"c":7}}', "$.b", when_empty=WhenEmpty.NULL)
        assert write(self.OFFLINE) == b'{"b":null}'
        assert write(self.DIGITAL) == b'{"b":{"c":7}}'

    def test_stays_when_its_own_value_is_empty(self):
        write = self.compiled("query", "b=%utm_source%", "b")
        assert write({"campaign": {"kind": "digital"}}) == b"b="

    def test_needs_a_token_that_there_is(self):
        for path, name in (("$.b", "is_dynamik"), ("$", "is_dynamic")):
            with pytest.raises(MappingError):
                self.compiled("json", '{"b":7}', path, only_if=name)

    @staticmethod
    def compiled(form, sample, path, **changes):
        extracted = extract(sample, Format(form))
        brought = auto_map(extracted)
        field = replace(brought.get(path), **{"only_if": "is_dynamic", **changes})
        mapping = from_plain(to_plain(brought.replaced([field])))
        return compile_template(format=Format(form), sample=extracted, mapping=mapping).render
