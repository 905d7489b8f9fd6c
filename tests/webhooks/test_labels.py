"""Names that do not stand in a path: beside a value, or in its place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.webhooks.extraction import extract
from apps.webhooks.formats import Format
from apps.webhooks.suggestions import Learned, suggest
from apps.webhooks.suggestions.labels import labels_of
from apps.webhooks.suggestions.names import placeholder_steps
from tests.webhooks.strategies import json_samples, pair_samples, xml_samples


def selected(text, form=Format.JSON, here=None):
    """The tokens that are selected beforehand, by path."""
    sample = extract(text, form)
    found = suggest(sample, Learned(), here or Learned())
    return {path: each[0].token for path, each in found.items() if each[0].is_sure}


class TestLabels:
    @pytest.mark.parametrize(
        ("text", "path", "token"),
        [
            ('[{"property": "phone", "value": "x"}]', "$[0].value", "ani"),
            (
                '{"fields": [{"name": "firstname", "value": "x"}]}',
                "$.fields[0].value",
                "ani_first_name",
            ),
            (
                '{"cf": [{"id": 7, "key": "caller_city", "field_value": "x"}]}',
                "$.cf[0].field_value",
                "ani_city",
            ),
            (
                '{"contacts": [{"type": "MobilePhone", "value": "555"}]}',
                "$.contacts[0].value",
                "ani",
            ),
            (
                '{"telecom": [{"system": "email", "value": "", "use": "home"}]}',
                "$.telecom[0].value",
                "ani_email",
            ),
            (
                '{"body": {"facts": [{"title": "Zip code", "value": ""}]}}',
                "$.body.facts[0].value",
                "ani_zip",
            ),
            (
                '{"form": {"answers": [{"label": "Your e-mail", "value": ""}]}}',
                "$.form.answers[0].value",
                "ani_email",
            ),
            (
                '{"cfs": [{"field_code": "PHONE", "values": [{"value": ""}]}]}',
                "$.cfs[0].values[0].value",
                "ani",
            ),
            ('{"email": [{"label": "work", "value": ""}]}', "$.email[0].value", "ani_email"),
            (
                '{"dealer": {"fields": [{"name": "city", "value": ""}]}}',
                "$.dealer.fields[0].value",
                "location_address_city",
            ),
        ],
    )
    def test_name_the_value_beside_them_in_json(self, text, path, token):
        assert selected(text) == {path: token}

    @pytest.mark.parametrize(
        ("text", "path", "token"),
        [
            ("<a><p><name>city</name><value>x</value></p></a>", "/a/p/value", "ani_city"),
            ('<a><p key="zip" value="x"/></a>', "/a/p/@value", "ani_zip"),
            ('<a><p name="phone">555</p></a>', "/a/p", "ani"),
            (
                '<a><p name="zip" value="1"/><p name="q" value="2"/></a>',
                "/a/p[@name='zip']/@value",
                "ani_zip",
            ),
        ],
    )
    def test_name_the_value_beside_them_in_xml(self, text, path, token):
        assert selected(text, Format.XML) == {path: token}

    def test_name_the_value_beside_them_in_forms(self):
        text = "f[0][name]=phone&f[0][value]=1&f[1][name]=color&f[1][value]=2"
        assert selected(text, Format.FORM) == {"f[0][value]": "ani"}

    @pytest.mark.parametrize(
        "text",
        [
            '[{"property": "agent_phone", "value": "5555551234"}]',
            '{"phones": [{"type": "fax", "value": "5555551234"}]}',
            '{"agent": {"fields": [{"name": "phone", "value": ""}]}}',
            '[{"name": "favourite color", "value": "phone"}]',
        ],
    )
    def test_about_something_else_leave_no_token(self, text):
        assert selected(text) == {}

    def test_are_told_as_the_reason(self):
        sample = extract('[{"property": "zip", "value": ""}]', Format.JSON)
        [found] = suggest(sample)["$[0].value"]
        assert found.reason == "the field is called zip, a usual name for the caller's ZIP code"

    def test_do_not_take_the_place_of_names_that_hold_values(self):
        assert selected('{"name": "Jane Doe", "value": 12}') == {"$.name": "ani_full_name"}
        assert selected('{"name": "{{phone}}", "value": "x"}') == {"$.name": "ani_full_name"}

    def test_are_found_in_any_sample(self):
        @given(
            st.one_of(
                json_samples.map(lambda text: (text, Format.JSON)),
                xml_samples().map(lambda text: (text, Format.XML)),
                pair_samples.map(lambda text: (text, Format.FORM)),
            )
        )
        def check(drawn):
            sample = extract(*drawn)
            labels = labels_of(sample)
            assert all(sample.find(path) for path in labels.of)

        check()


class TestPlaceholders:
    @pytest.mark.parametrize(
        "value",
        [
            "{{caller_phone}}",
            "{{ contact.phone }}",
            "{{{phone}}}",
            "${phone}",
            "#{phone}",
            "{phone}",
            "[phone]",
            "[[phone]]",
            "<phone>",
            "<<Phone Number>>",
        ],
    )
    def test_say_what_a_name_does_not(self, value):
        sample = extract(f'{{"x1": "{value}"}}', Format.JSON)
        found = suggest(sample)["$.x1"][0]
        assert (found.token, found.is_sure) == ("ani", True)
        assert found.reason.startswith(f"the sample value is {value}, a usual name for")

    def test_do_not_outdo_the_name(self):
        assert selected('{"zip": "{{phone}}"}') == {"$.zip": "ani_zip"}
        assert selected('{"zip": "<string>"}') == {"$.zip": "ani_zip"}

    def test_of_something_else_are_evidence_against_the_name(self):
        assert selected('{"name": "{{agent.name}}", "phone": "${agent_phone}"}') == {}

    @pytest.mark.parametrize(
        "value", ["", "phone", "{", "{}", "{{}}", "[]", "<>", "a {{phone}}", "[1]", "{" * 200]
    )
    def test_are_nothing_else(self, value):
        assert placeholder_steps(value) == ()


class TestLearnedFromOne:
    def test_does_not_spread_to_places_of_the_same_steps(self):
        here = Learned.from_templates(
            [{("$.v[0][0]", "ani"), ("$.c[0].value", "ani_city"), ("$.rows[0].q", "ani_zip")}]
        )
        text = """{"v": [["a", "b"]], "c": [{"id": 1, "value": "a"}, {"id": 2, "value": "b"}],
            "rows": [{"q": "a"}, {"q": "b"}]}"""
        assert selected(text, here=here) == {
            "$.v[0][0]": "ani",
            "$.rows[0].q": "ani_zip",
            "$.rows[1].q": "ani_zip",
        }
