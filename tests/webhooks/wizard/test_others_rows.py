"""What the wizard shows and takes of another account's rows: nothing."""

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Account
from apps.common.access import Role
from apps.webhooks.models import Template, Webhook, WebhookDraft
from apps.webhooks.wizard.drafts import answers_of, keep
from tests.conftest import LogIn
from tests.factories import (
    AccountFactory,
    CallFactory,
    GroupFactory,
    LocationFactory,
    TemplateFactory,
)
from tests.webhooks.wizard.walking import at, at_summary, begun, templated

pytestmark = pytest.mark.django_db


class TestAnotherAccountsRows:
    @pytest.fixture
    def theirs(self) -> Account:
        return AccountFactory(name="Theirs")

    @pytest.fixture
    def browser(self, account: Account, log_in: LogIn) -> Client:
        return log_in(account=account, role=Role.OWNER)

    def test_are_not_offered(self, browser: Client, theirs: Account) -> None:
        location = LocationFactory(account=theirs, name="Theirs location")
        TemplateFactory(account=theirs, name="Theirs template")
        GroupFactory(account=theirs, name="Theirs group")
        call = CallFactory(account=theirs, caller_name="Theirs caller")
        query = f"?account={theirs.pk}&location={location.pk}"
        assert "Theirs" not in browser.get(reverse("wizard") + query).content.decode()
        draft = begun(browser)
        assert "Theirs" not in browser.get(at(draft, "template")).content.decode()
        templated(browser, draft)
        for step in ("fields", "advanced", "summary"):
            page = browser.get(at(draft, step), {"call": str(call.pk)})
            assert "Theirs" not in page.content.decode()

    def test_are_refused(self, browser: Client, theirs: Account) -> None:
        location = LocationFactory(account=theirs)
        template = TemplateFactory(account=theirs)
        form = {"choice": "existing", "name": "x", "url": "https://93.184.216.34/"}
        for forged in (
            {"template": str(template.pk)},
            {"choice": "create", "location": str(location.pk)},
        ):
            page = browser.post(reverse("wizard"), {**form, **forged})
            assert page.status_code == 200
            assert page.context["form"].errors
        assert not WebhookDraft.objects.exists()
        draft = begun(browser)
        page = templated(browser, draft, group=str(GroupFactory(account=theirs).pk))
        assert "group" in page.context["form"].errors

    def test_are_not_taken_from_a_forged_draft(self, browser: Client, theirs: Account) -> None:
        draft = at_summary(browser)
        template = TemplateFactory(account=theirs)
        answers = answers_of(draft)
        forged = {**answers.to_json(), "choice": "existing", "template": str(template.pk)}
        keep(draft=draft, answers=type(answers).from_json(forged))
        page = browser.post(at(draft, "summary"))
        assert page.status_code == 200
        assert not Webhook.objects.exists()
        assert Template.objects.count() == 1

    def test_preview_shows_no_call_of_theirs(self, browser: Client, theirs: Account) -> None:
        call = CallFactory(account=theirs, snapshot={"caller": {"first_name": "Theirs"}})
        draft = at_summary(browser)
        page = browser.post(reverse("wizard_preview", args=[draft.pk]), {"call": str(call.pk)})
        assert page.status_code == 200
        assert "Theirs" not in page.content.decode()
        assert "Freddy" in page.content.decode()
