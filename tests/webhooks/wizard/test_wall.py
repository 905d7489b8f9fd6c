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
from apps.webhooks.models import Template, Webhook, WebhookDraft
from apps.webhooks.wizard.answers import Step
from apps.webhooks.wizard.drafts import answers_of, keep
from tests.conftest import LogIn
from tests.factories import (
    AccountFactory,
    CallFactory,
    GroupFactory,
    LocationFactory,
    MembershipFactory,
    TemplateFactory,
)
from tests.webhooks.wizard.walking import at, at_summary, begun, templated

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


@pytest.fixture
def account() -> Account:
    return AccountFactory(name="Mine account")


@pytest.fixture
def draft(account: Account, log_in: LogIn) -> WebhookDraft:
    """A draft that is ready to be finished."""
    return at_summary(log_in(account=account, role=Role.MEMBER), name="Theirs webhook")


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
