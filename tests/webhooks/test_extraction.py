"""Extraction: the fields of a sample, and the one error for what is no sample."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.webhooks.extraction import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_FIELDS,
    FieldType,
    SampleError,
    extract,
)
from apps.webhooks.formats import Format
from tests.webhooks.strategies import json_samples, pair_samples, xml_samples


def fields(text, form=Format.JSON):
    return {field.path: field.sample for field in extract(text, form).fields}


def refused(text, form=Format.JSON):
    with pytest.raises(SampleError) as error:
        extract(text, form)
    return error.value


class TestJsonFields:
    def test_addresses_every_value_in_order(self):
        sample = """{"customer": {"phones": ["555", {"type": "home"}], "Call.From": "x",
            "it's": 1, "empty": {}, "none": null, "yes": true}}"""
        assert fields(sample) == {
            "$.customer.phones[0]": "555",
            "$.customer.phones[1].type": "home",
            "$.customer['Call.From']": "x",
            "$.customer['it\\'s']": "1",
            "$.customer.empty": "{}",
            "$.customer.none": "",
            "$.customer.yes": "true",
        }

    def test_tells_the_type_of_each_value(self):
        found = extract('["a", 1, true, null, {}, []]', Format.JSON).fields
        assert [field.type for field in found] == [
            FieldType.STRING,
            FieldType.NUMBER,
            FieldType.BOOLEAN,
            FieldType.NULL,
            FieldType.OBJECT,
            FieldType.ARRAY,
        ]

    def test_takes_a_scalar_as_the_root(self):
        assert fields('"%ani%"') == {"$": "%ani%"}

    def test_keeps_numbers_as_they_are_written(self):
        assert fields("[1.10, 12345678901234567890123, 1E5]") == {
            "$[0]": "1.10",
            "$[1]": "12345678901234567890123",
            "$[2]": "1E5",
        }

    def test_finds_containers_beside_the_fields(self):
        sample = extract('{"a": [{"b": 1}]}', Format.JSON)
        assert [(each.path, each.type) for each in sample.containers] == [
            ("$", FieldType.OBJECT),
            ("$.a", FieldType.ARRAY),
            ("$.a[0]", FieldType.OBJECT),
        ]
        assert sample.find("$.a") == sample.containers[1]
        assert sample.find("$.b") is None

    def test_ignores_a_byte_order_mark(self):
        assert fields('\ufeff{"a": 1}') == {"$.a": "1"}


class TestXmlFields:
    def test_tells_repeated_elements_apart_by_attribute_or_else_by_position(self):
        sample = """<?adf version="1.0"?><adf><prospect><customer><contact>
            <name part="first">Ann</name><name part="last">Lee</name>
            <phone type="voice">555</phone>
            <note>a</note><note>b</note>
            <said by="it's">x</said><said by='a "b"'>y</said>
        </contact></customer></prospect></adf>"""
        contact = "/adf/prospect/customer/contact"
        assert fields(sample, Format.XML) == {
            f"{contact}/name[@part='first']/@part": "first",
            f"{contact}/name[@part='first']": "Ann",
            f"{contact}/name[@part='last']/@part": "last",
            f"{contact}/name[@part='last']": "Lee",
            f"{contact}/phone/@type": "voice",
            f"{contact}/phone": "555",
            f"{contact}/note[1]": "a",
            f"{contact}/note[2]": "b",
            f'{contact}/said[@by="it\'s"]/@by': "it's",
            f'{contact}/said[@by="it\'s"]': "x",
            f"{contact}/said[@by='a \"b\"']/@by": 'a "b"',
            f"{contact}/said[@by='a \"b\"']": "y",
        }

    def test_writes_names_with_their_prefixes(self):
        sample = (
            '<s:Body xmlns:s="urn:s" xmlns="urn:d"><lead s:id="7" xml:lang="en">x</lead></s:Body>'
        )
        assert fields(sample, Format.XML) == {
            "/s:Body/lead/@s:id": "7",
            "/s:Body/lead/@xml:lang": "en",
            "/s:Body/lead": "x",
        }

    def test_addresses_the_texts_of_mixed_content(self):
        sample = "<p>Dear <b>Ann</b><!-- c -->, call <i/> </p>"
        assert fields(sample, Format.XML) == {
            "/p/text()[1]": "Dear ",
            "/p/b": "Ann",
            "/p/text()[2]": ", call ",
            "/p/i": "",
        }

    def test_reads_leaves_with_comments_and_cdata_as_one_value(self):
        sample = "<a><b><!-- c --><![CDATA[<x>]]> &amp; y</b><c/></a>"
        assert fields(sample, Format.XML) == {"/a/b": "<x> & y", "/a/c": ""}

    def test_takes_any_declared_encoding_that_exists(self):
        assert fields('\n<?xml version="1.0" encoding="ISO-8859-1"?>\n<a>é</a>', Format.XML) == {
            "/a": "é"
        }


class TestPairFields:
    def test_names_parameters_and_numbers_repeated_ones(self):
        sample = "Call.From=%2B1777&tag=a&tag=b+c&phones%5B%5D=1&flag&x%23=1&empty="
        assert fields(sample, Format.FORM) == {
            "Call.From": "+1777",
            "tag#1": "a",
            "tag#2": "b c",
            "phones[]": "1",
            "flag": "",
            "x%23": "1",
            "empty": "",
        }

    def test_takes_the_format_by_its_stored_name(self):
        assert extract("?a=1", "query").format is Format.QUERY

    def test_decodes_around_tokens(self):
        sample = "?q=caf%C3%A9+%account_id%&b=%ani%&c=%25ani%25"
        assert fields(sample, Format.QUERY) == {
            "q": "café %account_id%",
            "b": "%ani%",
            "c": "%ani%",
        }


class TestRefusal:
    @pytest.mark.parametrize(
        ("text", "line", "column", "part"),
        [
            ('{"a": 1,\n "b": NaN}', 2, 7, "NaN"),
            ('{"a": -Infinity}', 1, 7, "Infinity"),
            ('{"a": {"b": 1,\n\n "b": 2}}', 3, 2, 'key "b" is there twice'),
            ('{"a": 1,}', 1, 9, "too many"),
            ("[1, ]", 1, 5, "too many"),
            ('{"a": ]}', 1, 7, "missing before"),
            ("{'a': 1}", 1, 2, "double quotes"),
            ('{"a": %ani%}', 1, 7, "Put the token in double quotes"),
            ('{"a": "x\ny"}', 1, 9, "must be written as an escape"),
            ('{"a": "\\ud800"}', 1, 7, "U+D800"),
            ('{"a": "\\u0000"}', 1, 7, "U+0000"),
            ('{"a": "\\x"}', 1, 8, "backslash"),
            ('{"a": "x', 1, 7, "no closing"),
            ('{"a": 1', 1, 8, '"}" is missing'),
            ('["a" : 1]', 1, 6, 'Expected ","'),
            ('{"a": 1\n"b": 2}', 2, 1, '"," is missing'),
            ('{"a": 1, // why\n"b": 2}', 1, 10, "no comments"),
            ('{"a": /* why */ 1}', 1, 7, "no comments"),
            ('{"a": 1 # why\n}', 1, 9, "no comments"),
            ('{"a": 1, ...}', 1, 10, "dots"),
            ("{\u201ca\u201d: 1}", 1, 2, "typographic"),
            ('{\n\xa0"a": 1}', 2, 1, "U+00A0"),
            ('{\u200b"a": 1}', 1, 2, "U+200B"),
            ('{"a": True}', 1, 7, "lower case"),
            ('{"a": {{phone}}}', 1, 8, "placeholder in double quotes"),
            ('{"a": ${phone}}', 1, 7, "placeholder in double quotes"),
            ('{"a": <phone>}', 1, 7, "placeholder in double quotes"),
            ('{"a": .5}', 1, 7, "begins with a digit"),
            ("{a: 1}", 1, 2, "key stands in double quotes"),
            ('{"a": 1}\n{"a": 2}', 2, 1, "paste one only"),
            ('{"a": 1};', 1, 9, "delete the ;"),
            ("<a>1</a>", 1, 1, "choose XML"),
            ("a=1&b=2", 1, 1, "choose that"),
            ("POST /leads HTTP/1.1\n\n{}", 1, 1, "only the body"),
            ("```json\n{}\n```", 1, 1, "only what is between"),
            ('{"a" 1}', 1, 6, '":"'),
            ("[1] 2", 1, 5, "Nothing may follow"),
            ("[01]", 1, 2, "not a JSON number"),
            ("[1e999]", 1, 2, "too large"),
            (f"[{'9' * 101}]", 1, 2, "too large"),
            ("", 1, 1, "empty"),
            (" \n ", 1, 1, "empty"),
            ("[1, \x01]", 1, 5, "U+0001"),
            ('["\ud83d"]', 1, 3, "U+D83D"),
        ],
    )
    def test_says_what_is_wrong_with_json_and_where(self, text, line, column, part):
        error = refused(text)
        assert part in error.message
        assert (error.line, error.column) == (line, column)

    @pytest.mark.parametrize(
        ("text", "line", "part"),
        [
            ("<a>\n<b></a>", 2, "mismatch"),
            ("<a>&copy;</a>", 1, "Entities"),
            ("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", 1, "DOCTYPE"),
            ("<!-- c -->\n<?p?> <!DOCTYPE a><a/>", 2, "DOCTYPE"),
            ('<?xml version="1.0" encoding="wat"?><a/>', 1, 'no encoding "wat"'),
            ("<a/><b/>", 1, "Extra content"),
            ('<a x="1" x="2"/>', 1, "redefined"),
            ("<p:a/>", 1, "prefix p"),
            ("plain text", 1, "'<' not found"),
            ("<a>\nTom & Co</a>", 2, "&amp;"),
            ('{"a": 1}', 1, "choose JSON"),
            ("&lt;a&gt;1&lt;/a&gt;", 1, "escaped"),
            ("<a>\x08</a>", 1, "U+0008"),
            ("<a>&#8;</a>", 1, "invalid xmlChar"),
            ("<a " + " ".join(f'xmlns:p{i}="u{i}"' for i in range(70)) + "/>", 1, "namespaces"),
            ("<?p?>" * 101 + "<a/>", 1, "instructions"),
            ("<a/>" + "<!---->" * 101, 1, "comments"),
        ],
    )
    def test_says_what_is_wrong_with_xml_and_where(self, text, line, part):
        error = refused(text, Format.XML)
        assert part in error.message
        assert error.line == line

    @pytest.mark.parametrize(
        ("text", "part"),
        [
            ("a=%ff", "not UTF-8"),
            ("=1", "name is missing"),
            ("a b=1", "No blanks"),
            ("a=1\nb=2", "No blanks"),
            ("a=%00", "U+0000"),
            ("&&&", "no name=value"),
            ("https://crm.example/?a=1", "what follows the ?"),
            ("/leads?a=1", "what follows the ?"),
            ('{"a":1}', "choose JSON"),
            ("<a>1</a>", "choose XML"),
        ],
    )
    def test_says_what_is_wrong_with_a_form(self, text, part):
        assert part in refused(text, Format.FORM).message

    @pytest.mark.parametrize(
        ("text", "form"),
        [
            ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), Format.JSON),
            ("[" * 100_000, Format.JSON),
            ("<a>" * (MAX_DEPTH + 1) + "</a>" * (MAX_DEPTH + 1), Format.XML),
            ("<a>" * 50_000, Format.XML),
        ],
    )
    def test_refuses_nesting_deeper_than_64(self, text, form):
        assert "deeper than 64" in refused(text, form).message

    def test_takes_nesting_of_64(self):
        assert extract("[" * MAX_DEPTH + "]" * MAX_DEPTH, Format.JSON).fields
        assert extract("<a>" * MAX_DEPTH + "</a>" * MAX_DEPTH, Format.XML).fields

    @pytest.mark.parametrize(
        ("field", "around", "form"),
        [
            ("1,", "[{}1]", Format.JSON),
            ("<a/>", "<r>{}</r>", Format.XML),
            ("a=1&", "{}b=2", Format.FORM),
        ],
    )
    def test_refuses_more_than_5000_fields(self, field, around, form):
        assert "5,000" in refused(around.format(field * (MAX_FIELDS + 1)), form).message
        assert len(extract(around.format(field * (MAX_FIELDS - 1)), form).fields) >= 4_999

    @pytest.mark.parametrize("form", Format)
    def test_refuses_more_than_256_kb(self, form):
        assert "256 KB" in refused("é" * (MAX_BYTES // 2 + 1), form).message

    def test_shows_the_offending_line_and_not_more(self):
        error = refused('{\n"a": 1,\n"b": wrong\n}')
        assert (error.line, error.snippet) == (3, '"b": wrong')
        assert len(refused(f'["{"x" * 5000}", wrong, "{"y" * 5000}"]').snippet) <= 120

    def test_does_not_look_for_entities_in_files(self):
        text = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
        assert "DOCTYPE" in refused(text, Format.XML).message


class TestAnyText:
    @staticmethod
    def outcome(text, form):
        try:
            return extract(text, form)
        except SampleError as error:
            return error

    @pytest.mark.parametrize("form", Format)
    @given(text=st.text() | st.text('{}[]",:0eE-+.\\untrue<>/=&;%?!ax \n'))
    def test_gives_a_sample_or_the_one_error(self, form, text):
        outcome = self.outcome(text, form)
        if isinstance(outcome, SampleError):
            assert 1 <= outcome.line <= text.count("\n") + 1
            assert outcome.column >= 1
            assert outcome.snippet.encode() in text.encode("utf-8", "replace")
        else:
            paths = [field.path for field in (*outcome.fields, *outcome.containers)]
            assert len(set(paths)) == len(paths)

    @given(text=json_samples | xml_samples() | pair_samples, cut=st.integers(0, 200), new=st.text())
    def test_gives_a_sample_or_the_one_error_for_damaged_samples(self, text, cut, new):
        for form in Format:
            assert self.outcome(text[:cut] + new[:3] + text[cut + 1 :], form) is not None

    @given(xml_samples())
    def test_addresses_each_place_of_xml_once(self, text):
        sample = extract(text, Format.XML)
        paths = [field.path for field in (*sample.fields, *sample.containers)]
        assert len(set(paths)) == len(paths)
