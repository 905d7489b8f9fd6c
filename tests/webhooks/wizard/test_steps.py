"""The wizard, step by step."""

import pytest
from django.test import Client

from apps.accounts.models import Account
from apps.common.access import Role
from apps.webhooks.models import Webhook, WebhookDraft
from tests.conftest import LogIn
from tests.factories import AccountFactory
from tests.webhooks.wizard.walking import at, at_summary

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return AccountFactory()


@pytest.fixture
def browser(account: Account, log_in: LogIn) -> Client:
    return log_in(account=account, role=Role.MEMBER)


class TestTheMainPath:
    def test_makes_webhook_and_template(self, browser: Client, account: Account) -> None:
        draft = at_summary(browser)
        page = browser.get(at(draft, "summary"))
        assert "Freddy" in page.content.decode()
        assert browser.post(at(draft, "summary")).status_code == 302
        webhook = Webhook.objects.get()
        assert (webhook.name, webhook.account) == ("Leads", account)
        version = webhook.template.current_version
        assert version is not None
        assert [(field["path"], field["token"]) for field in version.mapping] == [
            ("$.first", "ani_first_name"),
            ("$.last", "ani_last_name"),
            ("$.phone", "ani"),
        ]
        assert not WebhookDraft.objects.exists()
