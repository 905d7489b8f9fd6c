"""The wizard, step by step."""

import json
from typing import Any
from unittest.mock import ANY

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import Account, Location
from apps.calls.models import Call
from apps.common.access import Role
from apps.webhooks.gallery import GALLERY
from apps.webhooks.models import Template, TemplateVersion, Webhook, WebhookDraft
from apps.webhooks.tokens import EXAMPLE_SNAPSHOT
from apps.webhooks.wizard.drafts import MOST_DRAFTS, answers_of, headers_of, mapping_of
from tests.builders import make_template
from tests.conftest import LogIn
from tests.factories import (
    AccountFactory,
    AgencyFactory,
    CallFactory,
    GroupFactory,
    LocationFactory,
    TemplateFactory,
)
from tests.webhooks.wizard.walking import advanced, at, at_summary, begun, mapped, templated

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return AccountFactory()


@pytest.fixture
def browser(account: Account, log_in: LogIn) -> Client:
    return log_in(account=account, role=Role.MEMBER)


def text_of(page: Any) -> str:
    return str(page.content.decode())


class TestTheMainPath:
    def test_makes_webhook_and_template(self, browser: Client, account: Account) -> None:
        draft = at_summary(browser)
        page = browser.get(at(draft, "summary"))
        assert "Freddy" in text_of(page)
        assert browser.post(at(draft, "summary")).status_code == 302
        webhook = Webhook.objects.get()
        assert (webhook.name, webhook.account) == ("Leads", account)
        assert webhook.secret == draft.secret
        version = webhook.template.current_version
        assert version is not None
        assert [(field["path"], field["token"]) for field in version.mapping] == [
            ("$.first", "ani_first_name"),
            ("$.last", "ani_last_name"),
            ("$.phone", "ani"),
        ]
        assert not WebhookDraft.objects.exists()

    def test_takes_an_existing_template_in_three_steps(
        self, browser: Client, account: Account
    ) -> None:
        template = TemplateFactory(account=account)
        draft = begun(browser, choice="existing", template=str(template.pk))
        assert browser.get(at(draft, "fields")).status_code == 302
        assert advanced(browser, draft).headers["Location"] == at(draft, "summary")
        browser.post(at(draft, "summary"))
        assert Webhook.objects.get().template == template
        assert Template.objects.count() == 1

    @pytest.mark.parametrize("key", list(GALLERY))
    def test_starts_from_the_gallery(self, browser: Client, key: str) -> None:
        draft = begun(browser, choice="gallery", gallery=key)
        entry = GALLERY[key]
        form = {"title": "Mine", "format": entry.format.value, "sample": entry.sample}
        assert templated(browser, draft, **form).status_code == 302
        assert mapped(browser, draft).status_code == 302
        assert advanced(browser, draft, method=entry.method).status_code == 302
        browser.post(at(draft, "summary"))
        version = Webhook.objects.get().template.current_version
        assert version is not None
        assert version.sample == entry.sample
        assert len(version.mapping) >= len(entry.mapping.fields)

    def test_the_gallery_brings_url_rules_and_what_to_fill_in(self, browser: Client) -> None:
        entry = next(entry for entry in GALLERY.values() if entry.url and entry.blanks)
        draft = begun(browser, choice="gallery", gallery=entry.key, url="")
        assert answers_of(draft).url == entry.url
        form = {"title": "Mine", "format": entry.format.value, "sample": entry.sample}
        templated(browser, draft, **form)
        mapped(browser, draft)
        advanced(browser, draft, method=entry.method)
        page = text_of(browser.get(at(draft, "summary")))
        assert f"It fits the rules of {entry.name}" in page
        assert "Fill in before it works" in page

    def test_an_adf_of_ones_own_is_judged(self, browser: Client) -> None:
        draft = begun(browser)
        templated(browser, draft, format="xml", sample="<?adf version='1.0'?><adf><x/></adf>")
        page = text_of(browser.get(at(draft, "fields")))
        assert "By the rules of ADF" in page

    def test_leads_back_to_the_location(self, browser: Client, account: Account) -> None:
        location = LocationFactory(account=account)
        tab = reverse("admin:accounts_location_webhooks", args=[location.pk])
        page = browser.get(tab)
        start = (
            f"{reverse('wizard')}?location={location.pk}&amp;account={account.pk}&amp;next={tab}"
        )
        assert start in text_of(page)
        template = TemplateFactory(account=account)
        draft = begun(
            browser,
            query=f"?location={location.pk}&next={tab}",
            choice="existing",
            template=str(template.pk),
            location=str(location.pk),
        )
        advanced(browser, draft)
        assert browser.post(at(draft, "summary")).headers["Location"] == tab
        assert Webhook.objects.get().location == location

    def test_leads_back_to_our_own_pages_only(self, browser: Client, account: Account) -> None:
        draft = begun(browser, query="?next=https://evil.example/")
        assert answers_of(draft).back_to == ""

    def test_an_agency_chooses_the_account_first(self, log_in: LogIn) -> None:
        agency = AgencyFactory(name="The agency")
        client = AccountFactory(parent=agency, name="The client")
        browser = log_in(account=agency)
        page = text_of(browser.get(reverse("wizard")))
        assert f"?account={client.pk}" in page
        draft = begun(browser, query=f"?account={client.pk}")
        assert draft.account == client


class TestDrafts:
    def test_survive_logging_out(self, browser: Client, account: Account) -> None:
        draft = begun(browser)
        templated(browser, draft)
        user = draft.user
        browser.logout()
        browser.force_login(user)
        assert "Leads" in text_of(browser.get(reverse("wizard")))
        resumed = browser.get(reverse("wizard_resume", args=[draft.pk]))
        assert resumed.headers["Location"] == at(draft, "fields")
        assert "first" in text_of(browser.get(at(draft, "template")))

    def test_lose_nothing_on_the_way_back(self, browser: Client) -> None:
        draft = begun(browser)
        broken = '{"a": '
        page = templated(browser, draft, sample=broken, back="1")
        assert page.headers["Location"] == at(draft, "webhook")
        assert "&quot;a&quot;" in text_of(browser.get(at(draft, "template")))
        assert browser.get(at(draft, "fields")).headers["Location"] == at(draft, "template")

    def test_are_discarded_after_asking(self, browser: Client) -> None:
        draft = begun(browser)
        link = reverse("wizard_discard", args=[draft.pk])
        assert "Discard" in text_of(browser.get(link))
        assert WebhookDraft.objects.exists()
        browser.post(link)
        assert not WebhookDraft.objects.exists()

    def test_make_room_for_new_ones(self, browser: Client) -> None:
        for _ in range(MOST_DRAFTS + 3):
            begun(browser)
        assert WebhookDraft.objects.count() == MOST_DRAFTS

    def test_keep_header_values_encrypted(self, browser: Client) -> None:
        draft = at_summary(browser)
        advanced(browser, draft, **{"header-name": "X-Key", "header-value": "top-secret"})
        with connection.cursor() as cursor:
            cursor.execute("SELECT headers, answers::text FROM webhooks_webhookdraft")
            assert "top-secret" not in str(cursor.fetchone())


class TestTheTemplateStep:
    @pytest.mark.parametrize(
        ("format_", "sample", "message"),
        [
            ("json", '{"a":\n ]', "Line 2, column 2"),
            ("json", '{"a": 1, "a": 2}', "Line 1"),
            ("json", '{"a": NaN}', "Line 1"),
            ("json", "[" * 70 + "]" * 70, "64"),
            ("json", json.dumps(list(range(5001))), "5,000"),
            ("json", json.dumps("x" * 300_000), "256 KB"),
            ("json", '{"a": "\x01"}', "U+0001"),
            ("json", '{"a": "\x00"}', "Null characters"),
            ("json", '{"a": "%ani_frist_name%"}', "%ani_first_name%"),
            ("json", "   ", "The sample is empty"),
            ("xml", "<a>\n<b></a>", "Line 2"),
            ("xml", '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "Line 1"),
            ("xml", '<?xml version="1.0" encoding="klingon"?><a/>', "Line 1"),
            ("csv", "a,b", "not one of the available choices"),
        ],
    )
    def test_refuses_a_bad_sample_with_its_place(
        self, browser: Client, format_: str, sample: str, message: str
    ) -> None:
        draft = begun(browser)
        page = templated(browser, draft, format=format_, sample=sample)
        assert page.status_code == 200
        assert message in str(page.context["form"].errors)
        assert browser.get(at(draft, "fields")).headers["Location"] == at(draft, "template")
        assert not Template.objects.exists()

    def test_shows_the_offending_line_escaped(self, browser: Client) -> None:
        draft = begun(browser)
        page = templated(browser, draft, sample='{\n"a": <script>alert(1)</script>\n}')
        assert page.context["form"].bad_line[2] == '"a": <script>alert(1)</script>'
        assert "<script>alert" not in text_of(page)

    def test_refuses_a_name_that_is_taken(self, browser: Client, account: Account) -> None:
        TemplateFactory(account=account, name="CRM lead")
        page = templated(browser, begun(browser))
        assert "already" in str(page.context["form"].errors["title"])

    def test_shares_with_a_group_or_all_clients(self, log_in: LogIn) -> None:
        agency = AgencyFactory()
        group = GroupFactory(account=agency)
        location = LocationFactory(account=agency, group=group)
        browser = log_in(account=agency)
        for choice, is_shared in ((str(group.pk), False), ("clients", True)):
            draft = begun(browser, location=str(location.pk))
            templated(browser, draft, group=choice, title=f"Template {is_shared}")
            mapped(browser, draft)
            advanced(browser, draft)
            browser.post(at(draft, "summary"))
            template = Template.objects.get(name=f"Template {is_shared}")
            assert template.is_shared_with_clients is is_shared
            assert template.group == (None if is_shared else group)


class TestTheFieldsStep:
    def test_preselects_what_is_sure_and_what_the_sample_says(self, browser: Client) -> None:
        draft = begun(browser)
        templated(browser, draft, sample='{"phone": "", "zzz": "", "who": "%ani_full_name%"}')
        page = browser.get(at(draft, "fields"))
        shown = {row.place.name: (row.kind, row.value) for row in page.context["rows"]}
        assert shown["phone"] == ("token", "ani")
        assert shown["zzz"] == ("sample", "")
        assert shown["who"] == ("token", "ani_full_name")
        assert "Suggested: the field is called phone" in text_of(page)

    @pytest.mark.parametrize(
        ("kind", "value", "message"),
        [
            ("token", "ani_frist_name", "%ani_first_name%"),
            ("token", "", "There is no token"),
            ("text", "Call from %anni%", "%ani%"),
            ("constant", "abc", "is no number"),
            ("constant", "\x00", "U+FFFD|is no number"),
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
        assert any(part in problems for part in message.split("|"))
        assert browser.get(at(draft, "advanced")).headers["Location"] == at(draft, "fields")

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
        assert browser.post(at(draft, "fields"), form).status_code == 200
        draft.refresh_from_db()
        assert mapping_of(answers_of(draft)).get("$.first").token == "ani_first_name"

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


class TestThePreview:
    @pytest.fixture
    def draft(self, browser: Client) -> WebhookDraft:
        return at_summary(browser)

    def shown(self, browser: Client, draft: WebhookDraft, **posted: str) -> str:
        return text_of(browser.post(reverse("wizard_preview", args=[draft.pk]), posted))

    def test_follows_the_rows(self, browser: Client, draft: WebhookDraft) -> None:
        mark = answers_of(draft).mapped
        page = self.shown(browser, draft, **{"sample": mark, "kind-0": "constant", "value-0": "Z1"})
        assert "Z1" in page
        assert "Freddy" not in page

    def test_shows_a_real_call(self, browser: Client, draft: WebhookDraft) -> None:
        call = CallFactory(account=draft.account, snapshot={"caller": {"first_name": "<b>Ann</b>"}})
        page = self.shown(browser, draft, call=str(call.pk))
        assert "&lt;b&gt;Ann&lt;/b&gt;" in page

    def test_shows_the_worst_case(self, browser: Client, draft: WebhookDraft) -> None:
        page = self.shown(browser, draft, call="worst")
        assert "anonymous" in page
        assert "&lt;Sons&gt;" in page
        assert "%ani%" in page

    @pytest.mark.parametrize(
        "typed", ["555) 000-11", "ann l", "platform-77", "2026-03-28", "{public_id}"]
    )
    def test_finds_a_call_of_long_ago(
        self, browser: Client, draft: WebhookDraft, typed: str
    ) -> None:
        call = CallFactory(
            account=draft.account,
            caller="+15550001111",
            caller_name="Ann Lee",
            external_id="platform-77",
        )
        Call.objects.filter(pk=call.pk).update(created_at="2026-03-28T12:00:00Z")
        CallFactory.create_batch(12, account=draft.account, caller="+15559998888")
        CallFactory(caller="+15550001111", caller_name="Ann Lee", external_id="platform-77")
        find = typed.format(public_id=call.public_id)
        page = browser.get(reverse("wizard_calls", args=[draft.pk]), {"find": find})
        assert page.context["found"] == [(str(call.pk), ANY)]
        assert page.context["source"] == str(call.pk)
        assert page.headers["HX-Trigger-After-Swap"] == "call-chosen"
        page = browser.get(at(draft, "summary"), {"call": str(call.pk)})
        assert f'<option value="{call.pk}" selected>Ann Lee' in text_of(page)

    @pytest.mark.parametrize("typed", ["", "9", "zzz", "<script>", "2026-13-40", "\x00\x00"])
    def test_offers_the_usual_where_nothing_is_found(
        self, browser: Client, draft: WebhookDraft, typed: str
    ) -> None:
        CallFactory.create_batch(12, account=draft.account)
        page = browser.get(reverse("wizard_calls", args=[draft.pk]), {"find": typed})
        assert page.context["found"] == []
        assert len(page.context["sources"]) == 12
        assert "<script>" not in text_of(page)

    def test_warns_of_what_may_be_missing(self, browser: Client, draft: WebhookDraft) -> None:
        mark = answers_of(draft).mapped
        rows = {"kind-0": "token", "value-0": "rec_audiourl", "kind-1": "token", "value-1": "gclid"}
        page = self.shown(browser, draft, sample=mark, call="worst", **rows)
        assert "Known only at the end of a call: %rec_audiourl%" in page
        assert "This call has no web session" in page

    def test_checks_the_rules_of_adf_for_every_kind_of_call(self, browser: Client) -> None:
        draft = begun(browser, choice="gallery", gallery="adf")
        entry = GALLERY["adf"]
        templated(browser, draft, title="Lead", format="xml", sample=entry.sample)
        page = browser.get(at(draft, "fields"))
        address = reverse("wizard_check", args=[draft.pk])
        assert address in text_of(page)
        call = CallFactory(account=draft.account, snapshot=EXAMPLE_SNAPSHOT)
        picked = browser.post(address, {"call": str(call.pk)})
        assert [faults for _, faults in picked.context["judged"]] == [[], [], []]
        index = next(
            row.index for row in page.context["rows"] if row.place.path.endswith("/vendorname")
        )
        rows = {"sample": page.context["mapped"], f"kind-{index}": "omit"}
        checked = text_of(browser.post(address, rows))
        assert "The example call breaks the rules of ADF" in checked
        assert "The worst case breaks the rules of ADF" in checked
        assert "vendorname" in checked

    def test_has_no_check_where_there_are_no_rules(
        self, browser: Client, draft: WebhookDraft
    ) -> None:
        address = reverse("wizard_check", args=[draft.pk])
        assert address not in text_of(browser.get(at(draft, "summary")))
        assert browser.post(address).context["judged"] == []

    def test_says_what_is_wrong(self, browser: Client, draft: WebhookDraft) -> None:
        mark = answers_of(draft).mapped
        page = self.shown(browser, draft, **{"sample": mark, "kind-0": "token", "value-0": "nope"})
        assert "There is no token %nope%" in page


class TestTheAdvancedStep:
    @pytest.fixture
    def draft(self, browser: Client) -> WebhookDraft:
        return at_summary(browser)

    def test_takes_headers_and_never_shows_their_values_again(
        self, browser: Client, draft: WebhookDraft
    ) -> None:
        headers = {
            "header-name": ["X-Key", "Accept"],
            "header-value": ["top-secret", "application/json"],
        }
        assert advanced(browser, draft, **headers).status_code == 302
        for step in ("advanced", "summary"):
            page = text_of(browser.get(at(draft, step)))
            assert "top-secret" not in page
            assert "application/json" in page
        again = {"header-name": ["X-Key"], "header-value": [""]}
        advanced(browser, draft, **again)
        draft.refresh_from_db()
        assert headers_of(draft) == [("X-Key", "top-secret")]
        browser.post(at(draft, "summary"))
        header = Webhook.objects.get().headers.get()
        assert (header.name, header.value) == ("X-Key", "top-secret")

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("Bad Name", "x"),
            *(
                (name, "x")
                for name in (
                    "Host",
                    "Connection",
                    "Content-Encoding",
                    "Content-Length",
                    "Transfer-Encoding",
                )
            ),
            ("webhook-test", "x"),
            ("X-Key", "a\nb"),
            ("X-Key", "%anni%"),
            ("", "x"),
        ],
    )
    def test_refuses_what_is_no_header(
        self, browser: Client, draft: WebhookDraft, name: str, value: str
    ) -> None:
        page = advanced(browser, draft, **{"header-name": name, "header-value": value})
        assert page.status_code == 200
        assert page.context["form"].rows[0]["error"]

    def test_a_value_is_not_kept_under_another_name(
        self, browser: Client, draft: WebhookDraft
    ) -> None:
        advanced(browser, draft, **{"header-name": "X-Key", "header-value": "top-secret"})
        advanced(browser, draft, **{"header-name": "Accept", "header-value": ""})
        draft.refresh_from_db()
        assert headers_of(draft) == [("Accept", "")]

    @pytest.mark.parametrize(
        ("form", "value"),
        [
            ({"auth": "basic", "auth_user": "me", "auth_password": "pä:ss"}, "Basic bWU6cMOkOnNz"),
            ({"auth": "bearer", "auth_token": "abc"}, "Bearer abc"),
        ],
    )
    def test_writes_credentials_as_a_header(
        self, browser: Client, draft: WebhookDraft, form: dict[str, str], value: str
    ) -> None:
        advanced(browser, draft, **form)
        advanced(browser, draft, auth="keep")
        draft.refresh_from_db()
        assert headers_of(draft) == [("Authorization", value)]
        assert value not in text_of(browser.get(at(draft, "advanced")))

    def test_authenticates_by_a_header_of_ones_own(
        self, browser: Client, draft: WebhookDraft
    ) -> None:
        form = {"auth": "header", "auth_header": "X-Api-Key", "auth_value": "top-secret"}
        advanced(browser, draft, **form)
        draft.refresh_from_db()
        assert headers_of(draft) == [("X-Api-Key", "top-secret")]
        page = browser.get(at(draft, "advanced"))
        assert page.context["form"].rows[0]["name"] == "X-Api-Key"
        assert "top-secret" not in text_of(page)

    @pytest.mark.parametrize(
        "form",
        [
            {"method": "GET"},
            {"method": "BREW"},
            {"timeout_s": "61"},
            {"success_codes_usual": [], "success_codes_others": "abc"},
            {"auth": "basic", "auth_user": "a:b"},
            {"auth": "bearer", "auth_token": ""},
            {"auth": "header", "auth_header": "X-Key", "auth_value": ""},
            {"auth": "header", "auth_header": "Host", "auth_value": "x"},
            {"auth": "header", "auth_header": "", "auth_value": "x"},
            {
                "auth": "header",
                "auth_header": "x-key",
                "auth_value": "x",
                "header-name": "X-Key",
                "header-value": "y",
            },
        ],
    )
    def test_refuses_what_can_not_be(
        self, browser: Client, draft: WebhookDraft, form: dict[str, Any]
    ) -> None:
        assert advanced(browser, draft, **form).status_code == 200
        assert browser.get(at(draft, "summary")).headers["Location"] == at(draft, "advanced")


class TestTheRarerSettings:
    def test_reach_the_webhook(self, browser: Client) -> None:
        draft = at_summary(browser)
        form = {
            "signature": "hex",
            "signature_header": "X-Hub-Signature-256",
            "body_contains": "accepted",
            "retry_preset": "own",
            "retry_waits": "5s, 2m",
            "rate_limit": "10",
            "rate_unit": "minute",
            "concurrency": "2",
        }
        assert advanced(browser, draft, **form).status_code == 302
        assert "5s" in text_of(browser.get(at(draft, "advanced")))
        browser.post(at(draft, "summary"))
        webhook = Webhook.objects.get()
        assert (webhook.signature, webhook.signature_header) == ("hex", "X-Hub-Signature-256")
        assert (webhook.retry_waits_s, webhook.rate_limit) == ([5, 120], 10)
        assert (webhook.body_contains, webhook.concurrency) == ("accepted", 2)

    @pytest.mark.parametrize(
        "form",
        [
            {"signature": "hex"},
            {"signature": "nope"},
            {"retry_preset": "own", "retry_waits": "soon"},
            {"rate_limit": "0"},
            {"concurrency": "65"},
        ],
    )
    def test_are_refused_where_they_can_not_be(self, browser: Client, form: dict[str, str]) -> None:
        draft = at_summary(browser)
        page = advanced(browser, draft, **form)
        assert page.status_code == 200
        assert page.context["more"].errors


class TestTheWebhookStep:
    @pytest.mark.parametrize(
        ("form", "field"),
        [
            ({"url": "http://10.0.0.1/x"}, "url"),
            ({"url": "nonsense"}, "url"),
            ({"name": ""}, "name"),
            ({"name": "a\x00b"}, "name"),
            ({"choice": "existing"}, "template"),
            ({"choice": "gallery"}, "gallery"),
            ({"choice": "gallery", "gallery": "nope"}, "gallery"),
            ({"choice": "nope"}, "choice"),
            ({"location": "nope"}, "location"),
        ],
    )
    def test_refuses_bad_input(self, browser: Client, form: dict[str, str], field: str) -> None:
        whole = {"choice": "create", "name": "x", "url": "https://93.184.216.34/", **form}
        page = browser.post(reverse("wizard"), whole)
        assert field in page.context["form"].errors
        assert not WebhookDraft.objects.exists()

    def test_offers_templates_of_the_locations_group(
        self, browser: Client, account: Account
    ) -> None:
        group = GroupFactory(account=account)
        inside: Location = LocationFactory(account=account, group=group)
        outside = LocationFactory(account=account)
        template = TemplateFactory(account=account, group=group, name="Of the group")
        for location, is_offered in ((inside, True), (outside, False)):
            page = browser.get(reverse("wizard"), {"location": str(location.pk)})
            assert ("Of the group" in text_of(page)) is is_offered
        form = {"choice": "existing", "name": "x", "url": "https://93.184.216.34/"}
        for place in ("", str(outside.pk)):
            whole = {**form, "template": str(template.pk), "location": place}
            page = browser.post(reverse("wizard"), whole)
            assert "template" in page.context["form"].errors

    @pytest.mark.parametrize(
        ("role", "header", "is_refused"),
        [
            (Role.MEMBER, "X-Key", True),
            (Role.MEMBER, "Accept", False),
            (Role.ADMIN, "X-Key", False),
        ],
    )
    def test_no_member_takes_saved_credentials_off_tls(
        self, log_in: LogIn, account: Account, role: Role, header: str, is_refused: bool
    ) -> None:
        browser = log_in(account=account, role=role)
        draft = at_summary(browser)
        advanced(browser, draft, **{"header-name": header, "header-value": "saved"})
        form = {"choice": "create", "name": "x", "url": "http://93.184.216.34/leads"}
        for _ in range(2):
            page = browser.post(at(draft, "webhook"), form)
            assert (page.status_code == 200) is is_refused
        draft.refresh_from_db()
        kept = "https:" if is_refused else "http:"
        assert answers_of(draft).url.startswith(kept)

    def test_viewers_do_not_come_in(self, log_in: LogIn, account: Account) -> None:
        browser = log_in(account=account, role=Role.VIEWER)
        assert browser.get(reverse("wizard")).status_code == 403

    def test_begins_with_a_new_template_where_there_is_none(
        self, browser: Client, account: Account
    ) -> None:
        page = browser.get(reverse("wizard"))
        assert page.context["form"].initial["choice"] == "create"
        TemplateFactory(account=account)
        page = browser.get(reverse("wizard"))
        assert page.context["form"].initial["choice"] == "existing"


class TestTheSummary:
    def test_shows_every_selection(self, browser: Client, account: Account) -> None:
        location = LocationFactory(account=account, name="Elm Street")
        draft = at_summary(browser, location=str(location.pk))
        form = {
            "header-name": "Accept",
            "header-value": "application/json",
            "success_codes_others": "302",
            "method": "PUT",
            "timeout_s": "7",
            "retry_preset": "quick",
            "rate_limit": "10",
            "body_contains": "accepted",
        }
        advanced(browser, draft, **form)
        page = text_of(browser.get(at(draft, "summary")))
        for shown in (
            "<dd>Leads</dd>",
            "<dd>https://93.184.216.34/leads</dd>",
            "<dd>Elm Street</dd>",
            "<dt>Template Name</dt><dd>CRM lead</dd>",
            "<dt>Template Group</dt><dd>Whole account</dd>",
            "<dt>Template Type</dt><dd>JSON</dd>",
            '<code class="hl-code">$.first</code>',
            "%ani_first_name%",
            "<dt>Accept</dt><dd>application/json</dd>",
            "<dd>200, 201, 202, 203, 204, 302</dd>",
            "<dt>HTTP Method</dt><dd>PUT</dd>",
            "<dd>7 s</dd>",
            "<dt>Signed by</dt><dd>Standard Webhooks</dd>",
            "<dd>6 tries in about 45 minutes</dd>",
            "<dd>10 requests in each second</dd>",
            "<dd>accepted</dd>",
        ):
            assert shown in page

    def test_shows_the_existing_template(self, browser: Client, account: Account) -> None:
        template = make_template(account, "Mine", "<a>%ani%</a>", form="xml")
        draft = begun(browser, choice="existing", template=str(template.pk))
        advanced(browser, draft)
        page = text_of(browser.get(at(draft, "summary")))
        assert "<dt>Template</dt><dd>Mine, XML</dd>" in page
        assert "New template" not in page

    def test_says_that_a_template_can_not_be_sent_any_more(
        self, browser: Client, account: Account
    ) -> None:
        template = make_template(account, "Old", '{"a": "%ani%"}')
        gone = [{"path": "$.a", "kind": "token", "token": "a_token_of_old"}]
        TemplateVersion.objects.filter(template=template).update(mapping=gone)
        draft = begun(browser, choice="existing", template=str(template.pk))
        advanced(browser, draft)
        page = text_of(browser.get(at(draft, "summary")))
        assert "$.a: There is no token %a_token_of_old%" in page


class TestFinishing:
    def test_a_template_name_taken_meanwhile_is_explained(
        self, browser: Client, account: Account
    ) -> None:
        draft = at_summary(browser)
        TemplateFactory(account=account, name="CRM lead")
        page = browser.post(at(draft, "summary"))
        assert page.status_code == 200
        assert page.context["problems"]
        assert WebhookDraft.objects.exists()
        assert not Webhook.objects.exists()

    def test_hostile_names_are_escaped(self, browser: Client) -> None:
        draft = at_summary(browser, name="<script>alert(1)</script>")
        for step in ("webhook", "summary"):
            assert "<script>alert" not in text_of(browser.get(at(draft, step)))
        assert "<script>alert" not in text_of(browser.get(reverse("wizard")))
