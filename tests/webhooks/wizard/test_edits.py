"""A finished template is edited in the wizard, and becomes a new version."""

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Account
from apps.common.access import Role
from apps.webhooks.models import Template, WebhookDraft
from apps.webhooks.services import save_template
from apps.webhooks.wizard.drafts import answers_of
from apps.webhooks.wizard.edits import begin_edit
from tests.builders import make_template
from tests.conftest import LogIn
from tests.factories import AccountFactory, AgencyFactory, MembershipFactory, WebhookFactory
from tests.webhooks.wizard.walking import at, mapped, text_of

pytestmark = pytest.mark.django_db

SAMPLE = '{"first": "%ani_first_name%", "phone": "5551234567"}'


@pytest.fixture
def template(account: Account) -> Template:
    return make_template(account, "CRM lead", SAMPLE)


def edited(browser: Client, template: Template) -> WebhookDraft:
    """Press “Edit fields” on the page of a template."""
    answer = browser.post(reverse("wizard_edit", args=[template.pk]))
    assert answer.status_code == 302
    draft = WebhookDraft.objects.order_by("-updated_at")[0]
    assert answer.headers["Location"] == at(draft, "fields")
    return draft


class TestEditing:
    def test_makes_a_new_version_of_the_fields(self, browser: Client, template: Template) -> None:
        draft = edited(browser, template)
        page = browser.get(at(draft, "fields"))
        shown = {row.place.name: (row.kind, row.value) for row in page.context["rows"]}
        assert shown == {"first": ("token", "ani_first_name"), "phone": ("sample", "")}
        assert mapped(browser, draft, phone="ani").headers["Location"] == at(draft, "summary")
        answer = browser.post(at(draft, "summary"))
        assert answer.headers["Location"] == reverse(
            "admin:webhooks_template_versions", args=[template.pk]
        )
        template.refresh_from_db()
        version = template.current_version
        assert version is not None
        assert (version.number, version.sample, version.created_by) == (2, SAMPLE, draft.user)
        assert [(field["path"], field["token"]) for field in version.mapping] == [
            ("$.first", "ani_first_name"),
            ("$.phone", "ani"),
        ]
        assert not WebhookDraft.objects.exists()

    def test_says_first_who_sends_it_and_what_changes(
        self, browser: Client, template: Template, account: Account
    ) -> None:
        WebhookFactory.create_batch(2, account=account, template=template)
        draft = edited(browser, template)
        page = text_of(browser.get(at(draft, "fields")))
        assert "2 webhooks of 1 account send this template." in page
        mapped(browser, draft, phone="ani")
        page = text_of(browser.get(at(draft, "summary")))
        assert "2 webhooks of 1 account send this template." in page
        assert "What changes from version 1" in page
        assert "hl-diff-added" in page
        assert "hl-diff-removed" not in page

    def test_of_nothing_makes_no_version(self, browser: Client, template: Template) -> None:
        draft = edited(browser, template)
        assert mapped(browser, draft).status_code == 302
        assert "They are the same." in text_of(browser.get(at(draft, "summary")))
        browser.post(at(draft, "summary"))
        assert template.versions.count() == 1

    def test_goes_on_where_it_was_left(self, browser: Client, template: Template) -> None:
        draft = edited(browser, template)
        mapped(browser, draft, phone="gclid")
        assert edited(browser, template) == draft
        rows = browser.get(at(draft, "fields")).context["rows"]
        assert rows[1].value == "gclid"
        assert "Fields of CRM lead" in text_of(browser.get(reverse("wizard")))

    def test_changes_the_sample_and_keeps_what_was_mapped(
        self, browser: Client, template: Template
    ) -> None:
        draft = edited(browser, template)
        page = browser.get(at(draft, "template"))
        assert "Template Group" not in text_of(page)
        assert browser.post(at(draft, "template"), {"sample": "{"}).status_code == 200
        assert browser.get(at(draft, "summary")).headers["Location"] == at(draft, "template")
        sample = '{"first": "x", "phone": "5551234567"}'
        browser.post(at(draft, "template"), {"sample": sample, "format": "xml", "title": "y"})
        assert mapped(browser, draft).status_code == 302
        browser.post(at(draft, "summary"))
        template.refresh_from_db()
        assert (template.name, template.format) == ("CRM lead", "json")
        version = template.current_version
        assert version is not None
        assert version.sample == sample
        assert version.mapping[0]["token"] == "ani_first_name"

    def test_of_two_people_the_second_is_told_of_the_first(
        self, browser: Client, template: Template
    ) -> None:
        draft = edited(browser, template)
        mapped(browser, draft, phone="ani")
        browser.get(at(draft, "summary"))
        save_template(template=template, sample='{"first": "%ani_full_name%"}', by=None)
        page = browser.post(at(draft, "summary"))
        assert "Version 2 was saved meanwhile" in text_of(page)
        assert "What changes from version 2" in text_of(page)
        assert template.versions.count() == 2
        assert browser.post(at(draft, "summary")).status_code == 302
        assert template.versions.count() == 3

    def test_ends_when_the_template_is_gone(self, browser: Client, template: Template) -> None:
        draft = edited(browser, template)
        mapped(browser, draft)
        template.current_version = None
        template.save()
        template.delete()
        assert browser.get(at(draft, "fields")).status_code == 200
        for method in (browser.get, browser.post):
            page = method(at(draft, "summary"))
            assert "does not exist any more" in text_of(page)

    def test_is_tested_as_its_own_webhooks_only(
        self, browser: Client, template: Template, account: Account
    ) -> None:
        other = WebhookFactory(account=account)
        theirs = WebhookFactory(account=AccountFactory(), template=template)
        draft = edited(browser, template)
        mapped(browser, draft)
        page = text_of(browser.get(at(draft, "summary")))
        assert "Send test" not in page
        assert str(theirs) not in page
        for key in ("", "nonsense", str(other.pk), str(theirs.pk)):
            answer = browser.post(reverse("wizard_test", args=[draft.pk]), {"webhook": key})
            assert answer.status_code == 404
        webhook = WebhookFactory(account=account, template=template)
        page = text_of(browser.get(at(draft, "summary")))
        assert "Send test" in page
        assert f'<option value="{webhook.pk}">' in page

    def test_is_backtested(self, browser: Client, template: Template) -> None:
        draft = edited(browser, template)
        mapped(browser, draft)
        assert browser.get(reverse("wizard_backtest", args=[draft.pk])).status_code == 200

    def test_needs_no_request(self, template: Template) -> None:
        member = MembershipFactory(account=template.account)
        assert answers_of(begin_edit(template=template, user=member.user)).version == 1


class TestWhoMayEdit:
    def test_viewers_and_strangers_may_not(self, template: Template, log_in: LogIn) -> None:
        for browser in (
            log_in(account=template.account, role=Role.VIEWER),
            log_in(account=AccountFactory(), role=Role.OWNER),
        ):
            assert browser.post(reverse("wizard_edit", args=[template.pk])).status_code == 404
            assert browser.post(reverse("wizard_edit", args=[uuid.uuid4()])).status_code == 404
        assert not WebhookDraft.objects.exists()

    def test_a_shared_template_is_its_agencys(self, log_in: LogIn) -> None:
        agency = AgencyFactory()
        template = make_template(agency, "Shared", SAMPLE)
        template.is_shared_with_clients = True
        template.save()
        browser = log_in(account=AccountFactory(parent=agency), role=Role.OWNER)
        assert browser.post(reverse("wizard_edit", args=[template.pk])).status_code == 404

    def test_a_link_alone_begins_nothing(self, browser: Client, template: Template) -> None:
        assert browser.get(reverse("wizard_edit", args=[template.pk])).status_code == 405
        assert not WebhookDraft.objects.exists()

    def test_the_templates_pages_lead_there(
        self, browser: Client, template: Template, log_in: LogIn
    ) -> None:
        viewer = log_in(account=template.account, role=Role.VIEWER)
        link = reverse("wizard_edit", args=[template.pk])
        for page in ("change", "versions"):
            address = reverse(f"admin:webhooks_template_{page}", args=[template.pk])
            assert link in text_of(browser.get(address))
            assert link not in text_of(viewer.get(address))
