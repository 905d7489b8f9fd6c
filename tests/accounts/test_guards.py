"""What is told to nobody, kept for somebody, or refused to whoever guesses."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts import throttling
from apps.accounts.models import Account, User
from apps.accounts.throttling import MOST_LINKS, MOST_TRIES, MOST_TRIES_FROM_ALL
from apps.common.access import Role
from tests.conftest import LogIn
from tests.factories import (
    PASSWORD,
    AccountFactory,
    AgencyFactory,
    MembershipFactory,
    OperatorFactory,
    TemplateFactory,
    UserFactory,
    WebhookFactory,
)

pytestmark = pytest.mark.django_db


def text_of(page: Any) -> str:
    return str(page.content.decode())


class TestSomebodyWhoIsInvited:
    @pytest.fixture
    def browser(self, log_in: LogIn) -> Client:
        """An admin has invited somebody who has a user elsewhere."""
        stranger = UserFactory(email="mia@example.com", full_name="Mia Secret")
        stranger.last_login = timezone.now()
        stranger.save()
        account = AccountFactory()
        browser = log_in(account=account, role=Role.ADMIN)
        form = {"email": "mia@example.com", "role": str(Role.MEMBER.value)}
        page = browser.post(reverse("admin:accounts_membership_add"), form, follow=True)
        assert "Mia Secret" not in text_of(page)
        return browser

    def test_is_known_by_e_mail_alone(self, browser: Client) -> None:
        member = User.objects.get(email="mia@example.com").memberships.get()
        for link in (
            reverse("admin:accounts_membership_changelist"),
            reverse("admin:accounts_membership_change", args=[member.pk]),
            reverse("admin:accounts_membership_delete", args=[member.pk]),
            reverse("admin:accounts_membership_history", args=[member.pk]),
        ):
            page = text_of(browser.get(link))
            assert "mia@example.com" in page
            assert "Mia Secret" not in page
        found = browser.get(reverse("admin:accounts_membership_changelist"), {"q": "Secret"})
        assert "mia@example.com" not in text_of(found)

    def test_is_shown_by_name_once_they_have_come(self, browser: Client) -> None:
        Client().post(reverse("admin:login"), {"username": "mia@example.com", "password": PASSWORD})
        assert "Mia Secret" in text_of(browser.get(reverse("admin:accounts_membership_changelist")))


class TestTheLastOperator:
    @pytest.mark.parametrize("dropped", ["is_superuser", "is_active"])
    def test_stays_one(self, log_in: LogIn, dropped: str) -> None:
        operator = OperatorFactory()
        browser = log_in(user=operator)
        form = {"email": operator.email, "is_active": "on", "is_superuser": "on"}
        del form[dropped]
        link = reverse("admin:accounts_user_change", args=[operator.pk])
        assert "This is the last operator" in text_of(browser.post(link, form))
        OperatorFactory()
        assert browser.post(link, form).status_code == 302


class TestAClientOfAnAgency:
    @pytest.fixture
    def browser(self, log_in: LogIn) -> Client:
        return log_in(user=OperatorFactory())

    def moved(self, browser: Client, account: Account, to: Account | None) -> Any:
        link = reverse("admin:accounts_account_change", args=[account.pk])
        form = {
            "name": account.name,
            "kind": account.kind,
            "parent": str(to.pk) if to else "",
            "time_zone": account.time_zone,
            "is_active": "on",
        }
        return browser.post(link, form)

    @pytest.mark.parametrize("is_active", [True, False])
    def test_stays_while_it_sends_a_shared_template(self, browser: Client, is_active: bool) -> None:
        agency = AgencyFactory()
        account = AccountFactory(parent=agency, is_active=is_active)
        template = TemplateFactory(account=agency, name="Shared", is_shared_with_clients=True)
        webhook = WebhookFactory(account=account, template=template)
        for other in (AgencyFactory(), None):
            page = self.moved(browser, account, other)
            assert "still uses what its agency shares: the template “Shared”" in text_of(page)
            account.refresh_from_db()
            assert account.parent == agency
        webhook.delete()
        assert self.moved(browser, account, None).status_code == 302

    def test_may_change_all_else(self, browser: Client) -> None:
        agency = AgencyFactory()
        account = AccountFactory(parent=agency)
        template = TemplateFactory(account=agency, is_shared_with_clients=True)
        WebhookFactory(account=account, template=template)
        account.name = "Another name"
        assert self.moved(browser, account, agency).status_code == 302


class TestLoggingIn:
    @pytest.fixture(autouse=True)
    def _one_window(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Keep the window from ending in the middle of a test."""
        monkeypatch.setattr(throttling, "WINDOW_S", 10**9)

    def tried(self, client: Client, email: str, password: str, at: str = "203.0.113.1") -> str:
        form = {"username": email, "password": password}
        return text_of(client.post(reverse("admin:login"), form, follow=True, REMOTE_ADDR=at))

    @pytest.mark.parametrize("is_known", [True, False])
    def test_is_refused_to_who_guesses(self, client: Client, is_known: bool) -> None:
        email = "known@example.com" if is_known else "unknown@example.com"
        if is_known:
            MembershipFactory(user__email=email)
        for _ in range(MOST_TRIES):
            assert "No active user" in self.tried(client, email, "a guess")
        for spelled in (email, email.upper(), f" {email} "):
            assert "Too many tries." in self.tried(client, spelled, PASSWORD)
        assert "_auth_user_id" not in client.session

    def test_of_others_goes_on(self, client: Client) -> None:
        for _ in range(MOST_TRIES + 1):
            self.tried(client, "hunted@example.com", "a guess")
        MembershipFactory(user__email="other@example.com")
        self.tried(client, "other@example.com", PASSWORD)
        assert "_auth_user_id" in client.session

    def test_goes_on_elsewhere(self, client: Client) -> None:
        email = "home@example.com"
        MembershipFactory(user__email=email)
        for _ in range(2 * MOST_TRIES_FROM_ALL):
            self.tried(client, email, "a guess")
        assert "Too many tries." in self.tried(client, email, PASSWORD)
        self.tried(client, email, PASSWORD, at="198.51.100.7")
        assert "_auth_user_id" in client.session

    def test_is_counted_for_all_that_a_provider_gives_to_one(self, client: Client) -> None:
        email = "six@example.com"
        MembershipFactory(user__email=email)
        for number in range(MOST_TRIES):
            self.tried(client, email, "a guess", at=f"2001:db8:1:{number:x}::{number:x}")
        assert "Too many tries." in self.tried(client, email, PASSWORD, at="2001:db8:1:ffff::1")
        assert "Too many" not in self.tried(client, email, "a guess", at="2001:db8:2::1")

    def test_is_refused_to_who_guesses_from_everywhere(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(throttling, "MOST_TRIES_FROM_ALL", 4)
        email, home = "everywhere@example.com", "198.51.100.8"
        MembershipFactory(user__email=email)
        self.tried(client, email, PASSWORD, at=home)
        client.logout()
        for number in range(4):
            self.tried(client, email, "a guess", at=f"192.0.2.{number}")
        assert "Too many tries." in self.tried(client, email, PASSWORD, at="192.0.2.9")
        assert "_auth_user_id" not in client.session
        self.tried(client, email, PASSWORD, at=home)
        assert "_auth_user_id" in client.session


class TestALinkToSetANewPassword:
    def test_is_sent_some_times_and_no_more(
        self,
        client: Client,
        mailoutbox: list[Any],
        monkeypatch: pytest.MonkeyPatch,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        monkeypatch.setattr(throttling, "LINKS_WINDOW_S", 10**9)
        MembershipFactory(user__email="flooded@example.com")
        pages = set()
        for _ in range(MOST_LINKS + 2):
            with django_capture_on_commit_callbacks(execute=True):
                page = client.post(reverse("password_reset"), {"email": "Flooded@example.com"})
            pages.add((page.status_code, page.headers["Location"]))
        assert len(mailoutbox) == MOST_LINKS
        assert pages == {(302, reverse("password_reset_done"))}


class TestInvitations:
    def test_of_an_account_are_sent_some_times_a_day(
        self, log_in: LogIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(throttling, "INVITATIONS_WINDOW_S", 10**9)
        monkeypatch.setattr(throttling, "MOST_INVITATIONS_TO_ONE", 2)
        monkeypatch.setattr(throttling, "MOST_INVITATIONS", 3)
        browser = log_in(account=AccountFactory())

        def invited(email: str) -> str:
            form = {"email": email, "role": str(Role.VIEWER.value)}
            add = reverse("admin:accounts_membership_add")
            return text_of(browser.post(add, form, follow=True))

        for email in ("a@example.com", "a@example.com", "b@example.com"):
            assert "times a day" not in invited(email)
        assert "invites this person 2 times a day" in invited("a@example.com")
        assert "invites people 3 times a day" in invited("c@example.com")
        assert not User.objects.filter(email="c@example.com").exists()


class TestAForgedForm:
    def test_is_refused_on_a_page_of_ours(self) -> None:
        browser = Client(enforce_csrf_checks=True)
        page = browser.post(reverse("admin:login"), {"username": "a", "password": "b"})
        assert page.status_code == 403
        assert "This form is too old, or came from elsewhere" in text_of(page)
        assert "hookline/theme.css" in text_of(page)
