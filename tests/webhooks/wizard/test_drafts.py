"""The wizard from its first step to its last, and the drafts that it keeps."""

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Account
from apps.webhooks.gallery import GALLERY
from apps.webhooks.models import Template, Webhook, WebhookDraft
from apps.webhooks.wizard.drafts import MOST_DRAFTS, answers_of, headers_of
from tests.conftest import LogIn
from tests.factories import (
    AccountFactory,
    AgencyFactory,
    LocationFactory,
    TemplateFactory,
)
from tests.webhooks.wizard.walking import (
    SAMPLE,
    URL,
    advanced,
    at,
    at_summary,
    begun,
    mapped,
    templated,
    text_of,
)

pytestmark = pytest.mark.django_db


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

    def test_the_gallery_asks_before_it_replaces_what_was_pasted(self, browser: Client) -> None:
        draft = begun(browser)
        templated(browser, draft)
        mapped(browser, draft, first="ani_last_name")
        draft.refresh_from_db()
        made = answers_of(draft).mapping
        form = {"choice": "gallery", "name": "Leads", "url": URL, "location": "", "gallery": "adf"}

        page = browser.post(at(draft, "webhook"), form)

        assert "would be lost" in text_of(page)
        assert 'name="replaces"' in text_of(page)
        draft.refresh_from_db()
        assert answers_of(draft).sample == SAMPLE
        back = browser.post(at(draft, "webhook"), {**form, "choice": "create"})
        assert back.status_code == 302
        draft.refresh_from_db()
        assert (answers_of(draft).sample, answers_of(draft).mapping) == (SAMPLE, made)

        assert browser.post(at(draft, "webhook"), {**form, "replaces": "on"}).status_code == 302
        draft.refresh_from_db()
        assert answers_of(draft).sample == GALLERY["adf"].sample

    def test_the_gallery_replaces_by_itself_what_came_from_it(self, browser: Client) -> None:
        draft = begun(browser, choice="gallery", gallery="hubspot_call")
        form = {"choice": "gallery", "name": "Leads", "url": URL, "location": "", "gallery": "adf"}
        assert browser.post(at(draft, "webhook"), form).status_code == 302
        draft.refresh_from_db()
        assert answers_of(draft).sample == GALLERY["adf"].sample
        assert headers_of(draft) == []

    def test_the_gallery_brings_its_headers_whenever_it_is_chosen(self, browser: Client) -> None:
        draft = begun(browser)
        form = {"choice": "gallery", "name": "Leads", "url": URL, "location": ""}
        browser.post(at(draft, "webhook"), {**form, "gallery": "hubspot_call"})
        draft.refresh_from_db()
        assert headers_of(draft) == list(GALLERY["hubspot_call"].headers)
        templated(browser, draft, sample=GALLERY["hubspot_call"].sample)
        mapped(browser, draft)
        advanced(browser, draft, **{"header-name": "X-Mine", "header-value": "1"})
        draft.refresh_from_db()
        assert headers_of(draft) == [("X-Mine", "1")]
        browser.post(at(draft, "webhook"), {**form, "gallery": "hubspot_call"})
        draft.refresh_from_db()
        assert headers_of(draft) == [("X-Mine", "1")]

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
        page = templated(browser, draft, sample=broken, to="webhook")
        assert page.headers["Location"] == at(draft, "webhook")
        assert "&quot;a&quot;" in text_of(browser.get(at(draft, "template")))
        assert browser.get(at(draft, "fields")).headers["Location"] == at(draft, "template")

    @pytest.mark.parametrize("asked", ["webhook", "template", "fields"])
    def test_lose_nothing_where_the_progress_header_leads(
        self, browser: Client, asked: str
    ) -> None:
        draft = at_summary(browser)
        page = advanced(browser, draft, timeout_s="7", to=asked)
        assert page.headers["Location"] == at(draft, asked)
        draft.refresh_from_db()
        assert answers_of(draft).timeout_s == 7
        page = browser.get(at(draft, "advanced"))
        assert f'<button form="hl-step" name="to" value="{asked}" formnovalidate>' in text_of(page)

    def test_do_not_pass_over_a_step_that_is_wrong(self, browser: Client) -> None:
        draft = at_summary(browser)
        for asked in ("summary", "nonsense"):
            page = templated(browser, draft, sample="{", to=asked)
            assert page.status_code == 200
            assert "Line 1" in text_of(page)
        templated(browser, draft, to="advanced")
        page = templated(browser, draft, to="summary")
        assert page.headers["Location"] == at(draft, "summary")

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
