"""The first wall around the wizard: a draft is its maker's, and nobody else's."""

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Account
from apps.common.access import Access, ReachableAccount, Role
from apps.common.tenancy import tenant_scope
from apps.webhooks.models import Webhook, WebhookDraft
from apps.webhooks.wizard.answers import Step
from tests.conftest import LogIn
from tests.factories import AccountFactory, MembershipFactory
from tests.webhooks.wizard.walking import at_summary

pytestmark = pytest.mark.django_db

ADDRESSES = [
    *[("wizard_step", step.value) for step in Step],
    ("wizard_resume",),
    ("wizard_discard",),
    ("wizard_preview",),
    ("wizard_calls",),
    ("wizard_check",),
    ("wizard_options", 0),
    ("wizard_test",),
    ("wizard_backtest",),
]


@pytest.fixture(scope="module")
def made(kept: None, log_in: LogIn) -> WebhookDraft:
    """A draft that is ready to be finished."""
    account = AccountFactory(name="Mine account")
    return at_summary(log_in(account=account, role=Role.MEMBER), name="Theirs webhook")


@pytest.fixture
def draft(made: WebhookDraft) -> WebhookDraft:
    return WebhookDraft.objects.get(pk=made.pk)


@pytest.fixture
def account(draft: WebhookDraft) -> Account:
    return draft.account


def link(address: tuple[Any, ...], draft_id: object) -> str:
    name, *rest = address
    return reverse(name, args=[draft_id, *rest])


class TestSomebodyElsesDraft:
    @pytest.mark.parametrize("address", ADDRESSES, ids=lambda address: "-".join(map(str, address)))
    @pytest.mark.parametrize("who", ["another account", "another person", "a viewer", "nobody"])
    def test_does_not_exist(
        self,
        draft: WebhookDraft,
        account: Account,
        log_in: LogIn,
        address: tuple[Any, ...],
        who: str,
    ) -> None:
        browser = {
            "another account": lambda: log_in(account=AccountFactory(), role=Role.OWNER),
            "another person": lambda: log_in(account=account, role=Role.OWNER),
            "a viewer": lambda: _demoted(draft, log_in),
            "nobody": Client,
        }[who]()
        before = WebhookDraft.objects.values().get()
        for method in (browser.get, browser.post):
            answer = method(link(address, draft.pk))
            never = method(link(address, uuid.uuid4()))
            assert answer.status_code == never.status_code
            assert answer.status_code in ((302,) if who == "nobody" else (404, 405))
            assert "Theirs" not in answer.content.decode()
        assert WebhookDraft.objects.values().get() == before
        assert not Webhook.objects.exists()

    def test_is_not_listed(self, draft: WebhookDraft, account: Account, log_in: LogIn) -> None:
        own = Client()
        own.force_login(draft.user)
        assert "Theirs" in own.get(reverse("wizard")).content.decode()
        for other in (log_in(account=account), log_in(account=AccountFactory())):
            assert "Theirs" not in other.get(reverse("wizard")).content.decode()

    def test_is_behind_the_second_wall(self, draft: WebhookDraft, account: Account) -> None:
        reachable = {account.pk: ReachableAccount(account.pk, "x", False, Role.OWNER)}
        for user_id, seen in ((draft.user_id, 1), (MembershipFactory().user_id, 0)):
            with (
                tenant_scope(Access(accounts=reachable, user_id=user_id)),
                connection.cursor() as cursor,
            ):
                cursor.execute("SELECT count(*) FROM webhooks_webhookdraft")
                assert cursor.fetchone() == (seen,)


def _demoted(draft: WebhookDraft, log_in: LogIn) -> Client:
    draft.user.memberships.update(role=Role.VIEWER)
    return log_in(user=draft.user)
