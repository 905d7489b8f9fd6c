"""The Fields step."""

import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.webhooks.models import Webhook
from apps.webhooks.tokens import EXAMPLE_SNAPSHOT
from apps.webhooks.wizard.drafts import answers_of, mapping_of
from tests.webhooks.wizard.walking import (
    at,
    at_summary,
    begun,
    mapped,
    templated,
    text_of,
)

pytestmark = pytest.mark.django_db


class TestTheFieldsStep:
    def test_preselects_what_is_sure_and_what_the_sample_says(self, browser: Client) -> None:
        draft = begun(browser)
        templated(browser, draft, sample='{"phone": "", "zzz": "", "who": "%ani_full_name%"}')
        page = browser.get(at(draft, "fields"))
        shown = {row.place.name: (row.kind, row.value) for row in page.context["rows"]}
        assert shown["phone"] == ("token", "ani")
        assert shown["zzz"] == ("sample", "")
        assert shown["who"] == ("token", "ani_full_name")
        assert "Suggested, 100 of 100: the field is called phone" in text_of(page)

    @pytest.mark.parametrize(
        ("kind", "value", "message"),
        [
            ("token", "ani_frist_name", "%ani_first_name%"),
            ("token", "", "There is no token"),
            ("text", "Call from %anni%", "%ani%"),
            ("constant", "abc", "is no number"),
            ("constant", "\x00", "U+0000"),
            ("repeat", "ani", "no list"),
        ],
    )
    def test_says_what_is_wrong_beside_the_field(
        self, browser: Client, kind: str, value: str, message: str
    ) -> None:
        draft = begun(browser)
        templated(browser, draft, sample='{"n": 7}')
        browser.get(at(draft, "fields"))
        draft.refresh_from_db()
        form = {"sample": answers_of(draft).mapped, "kind-0": kind, "value-0": value}
        page = browser.post(at(draft, "fields"), form)
        assert page.status_code == 200
        problems = " ".join(page.context["rows"][0].problems)
        assert message in problems
        assert browser.get(at(draft, "advanced")).headers["Location"] == at(draft, "fields")

    def test_says_so_again_when_one_comes_back(self, browser: Client) -> None:
        draft = begun(browser)
        templated(browser, draft, sample='{"n": 7}')
        mark = browser.get(at(draft, "fields")).context["mapped"]
        form = {"sample": mark, "kind-0": "constant", "value-0": "abc"}
        browser.post(reverse("wizard_preview", args=[draft.pk]), form)
        page = browser.get(at(draft, "fields"))
        assert page.context["rows"][0].problems == ['"abc" is no number.']

    def test_keeps_the_mapping_when_the_sample_changes(self, browser: Client) -> None:
        draft = begun(browser)
        templated(browser, draft)
        mapped(browser, draft, first="location_name")
        templated(browser, draft, sample='{"first": "x", "more": "y"}')
        browser.get(at(draft, "fields"))
        draft.refresh_from_db()
        mapping = mapping_of(answers_of(draft))
        assert mapping.get("$.first").token == "location_name"
        assert {field.path for field in mapping.fields} == {"$.first"}

    def test_is_to_be_looked_at_again_when_the_sample_changes(self, browser: Client) -> None:
        draft = at_summary(browser)
        more = '{"first": "Ann", "last": "Lee", "phone": "5551234567", "who": "%ani_full_name%"}'
        page = templated(browser, draft, sample=more, to="summary")
        assert page.headers["Location"] == at(draft, "fields")
        assert mapped(browser, draft).headers["Location"] == at(draft, "advanced")
        browser.post(at(draft, "summary"))
        template = Webhook.objects.get().template
        assert "%ani_full_name%" not in template.compiled().render(EXAMPLE_SNAPSHOT).decode()

    def test_suggests_again_after_changes_by_hand_which_stay(self, browser: Client) -> None:
        sample = {"people": [{"zz": "", "phone": ""}, {"zz": "", "phone": ""}], "first": ""}
        draft = begun(browser)
        templated(browser, draft, sample=json.dumps(sample))
        page = browser.get(at(draft, "fields"))
        index = {row.place.path: row.index for row in page.context["rows"]}
        emptied, filled = index["$.first"], index["$.people[0].zz"]
        form = {
            "sample": page.context["mapped"],
            f"kind-{filled}": "token",
            f"value-{filled}": "ani_full_name",
            f"kind-{emptied}": "sample",
            f"value-{emptied}": "",
            "suggest": "1",
        }
        page = browser.post(at(draft, "fields"), form)
        assert "1 field filled. What you filled yourself is as it was." in text_of(page)
        shown = {row.place.path: (row.kind, row.value) for row in page.context["rows"]}
        assert shown["$.people[0].zz"] == shown["$.people[1].zz"] == ("token", "ani_full_name")
        assert shown["$.first"] == ("sample", "")
        assert "people.zz is mapped to %ani_full_name% here" in text_of(page)
        page = browser.post(at(draft, "fields"), {"sample": form["sample"], "suggest": "1"})
        assert "Nothing new" in text_of(page)
        draft.refresh_from_db()
        assert set(answers_of(draft).by_hand) == {"$.people[0].zz", "$.first"}

    def test_what_was_emptied_by_hand_stays_empty_in_another_sample(self, browser: Client) -> None:
        draft = begun(browser)
        templated(browser, draft)
        page = browser.get(at(draft, "fields"))
        form = {"sample": page.context["mapped"], "kind-0": "sample", "value-0": ""}
        browser.post(at(draft, "fields"), form)
        templated(browser, draft, sample='{"first": "x", "phone": "5551234567"}')
        rows = browser.get(at(draft, "fields")).context["rows"]
        assert [(row.kind, row.value) for row in rows] == [("sample", ""), ("token", "ani")]

    def test_ignores_rows_of_another_sample(self, browser: Client) -> None:
        draft = begun(browser)
        templated(browser, draft)
        browser.get(at(draft, "fields"))
        form = {"sample": "stale", "kind-0": "token", "value-0": "gclid"}
        page = browser.post(at(draft, "fields"), form)
        assert "The sample was changed meanwhile" in text_of(page)
        draft.refresh_from_db()
        assert mapping_of(answers_of(draft)).get("$.first").token == "ani_first_name"

    def test_ignores_rows_of_a_sample_that_another_tab_replaced(self, browser: Client) -> None:
        draft = begun(browser)
        templated(browser, draft)
        mark = browser.get(at(draft, "fields")).context["mapped"]
        templated(browser, draft, sample='{"zzz": "x", "first": "Ann"}')
        form = {"sample": mark, "kind-0": "token", "value-0": "gclid"}
        for address in (reverse("wizard_preview", args=[draft.pk]), at(draft, "fields")):
            browser.post(address, form)
        draft.refresh_from_db()
        assert mapping_of(answers_of(draft)).get("$.zzz").token == ""

    @pytest.mark.parametrize("sample", ["", '{"a": ', '{"zzz": "x"}'])
    def test_has_no_options_of_rows_that_are_gone(self, browser: Client, sample: str) -> None:
        draft = begun(browser)
        templated(browser, draft)
        browser.get(at(draft, "fields"))
        templated(browser, draft, sample=sample)
        assert browser.get(reverse("wizard_options", args=[draft.pk, 0])).status_code == 404

    def test_takes_options_from_an_open_panel(self, browser: Client) -> None:
        draft = begun(browser)
        templated(browser, draft)
        browser.get(at(draft, "fields"))
        draft.refresh_from_db()
        link = reverse("wizard_options", args=[draft.pk, 2])
        form = {
            "sample": answers_of(draft).mapped,
            "kind-2": "token",
            "value-2": "%ani%",
            "o2-open": "1",
            "o2-add": "phone",
            "o2-default": "none",
            "o2-when_empty": "omit",
            "o2-type": "string",
        }
        panel = browser.post(link, form)
        assert "Phone number" in text_of(panel)
        draft.refresh_from_db()
        field = mapping_of(answers_of(draft)).get("$.phone")
        assert [formatter.name for formatter in field.formatters] == ["phone"]
        assert (field.default, field.when_empty, field.type) == ("none", "omit", "string")
        browser.post(link, {**form, "o2-add": "", "o2-f0": "truncate", "o2-f0-length": "abc"})
        page = browser.post(at(draft, "fields"), {"sample": form["sample"]})
        assert "whole number" in " ".join(page.context["rows"][2].problems)

    def test_names_an_attribute_along_with_its_element(self, browser: Client) -> None:
        draft = begun(browser)
        sample = '<lead id="1"><name part="a/@b">x</name></lead>'
        templated(browser, draft, format="xml", sample=sample)
        rows = browser.get(at(draft, "fields")).context["rows"]
        assert [row.name for row in rows] == ["lead @id", "name @part", "name"]
        templated(browser, draft, sample='{"@id": "x"}')
        assert [row.name for row in browser.get(at(draft, "fields")).context["rows"]] == ["@id"]

    def test_repeats_xml_elements(self, browser: Client) -> None:
        draft = begun(browser)
        sample = '<lead><qa q="%question%"><r>%response%</r></qa></lead>'
        templated(browser, draft, format="xml", sample=sample)
        page = browser.get(at(draft, "fields"))
        shown = {row.place.path: row.kind for row in page.context["rows"]}
        assert shown["/lead/qa"] == "repeat"

    def test_300_fields_ask_nothing_more_than_3(self, browser: Client) -> None:
        draft = begun(browser)
        asked = []
        for count in (3, 300):
            sample = json.dumps({f"field_{index}": "x" for index in range(count)})
            templated(browser, draft, sample=sample)
            browser.get(at(draft, "fields"))
            with CaptureQueriesContext(connection) as queries:
                page = browser.get(at(draft, "fields"))
            assert len(page.context["rows"]) == count
            asked.append(len(queries))
        assert asked[0] == asked[1] <= 20

    def test_5000_fields_come_in_pages(self, browser: Client) -> None:
        draft = begun(browser)
        templated(browser, draft, sample=json.dumps([0] * 5000))
        page = browser.get(at(draft, "fields"))
        form = {"sample": page.context["mapped"], "kind-0": "omit", "go": "2"}
        page = browser.post(at(draft, "fields"), form)
        assert page.context["rows"][0].index == 600
        draft.refresh_from_db()
        assert mapping_of(answers_of(draft)).get("$[0]").kind == "omit"
