"""Members and API keys, as people with each role meet them."""

from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from apps.accounts.models import Account, ApiKey, Membership, User
from apps.common.access import Role
from apps.common.models import AuditEntry
from tests.conftest import LogIn
from tests.factories import (
    AccountFactory,
    ApiKeyFactory,
    MembershipFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return AccountFactory(name="Main Street Motors")


class TestMembers:
    add = "admin:accounts_membership_add"

    def test_invites_a_new_person_with_a_link(
        self, log_in: LogIn, account: Account, django_capture_on_commit_callbacks: Any
    ) -> None:
        browser = log_in(account=account)
        with django_capture_on_commit_callbacks(execute=True):
            page = browser.post(
                reverse(self.add), {"email": "New@Example.com", "role": int(Role.MEMBER)}
            )
        assert page.status_code == 302
        member = Membership.objects.get(user__email="new@example.com")
        assert (member.account, member.role) == (account, Role.MEMBER)
        assert not member.user.has_usable_password()
        assert mail.outbox[0].to == ["new@example.com"]
        assert "/password/" in mail.outbox[0].body

    def test_the_link_sets_the_password(
        self,
        client: Client,
        log_in: LogIn,
        account: Account,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        browser = log_in(account=account)
        with django_capture_on_commit_callbacks(execute=True):
            browser.post(reverse(self.add), {"email": "new@example.com", "role": 20})
        link = next(line for line in mail.outbox[0].body.splitlines() if "/password/" in line)
        page = client.get(link.replace("http://127.0.0.1:8000", ""), follow=True)
        new = "a-long-new-passphrase"
        client.post(page.request["PATH_INFO"], {"new_password1": new, "new_password2": new})
        assert User.objects.get(email="new@example.com").check_password(new)

    def test_a_lost_invitation_is_sent_again(
        self, log_in: LogIn, account: Account, django_capture_on_commit_callbacks: Any
    ) -> None:
        browser = log_in(account=account)
        for role in (Role.VIEWER, Role.MEMBER):
            with django_capture_on_commit_callbacks(execute=True):
                browser.post(reverse(self.add), {"email": "new@example.com", "role": int(role)})
        assert ["/password/" in letter.body for letter in mail.outbox] == [True, True]
        member = Membership.objects.get(user__email="new@example.com")
        assert member.role == Role.MEMBER
        told = AuditEntry.objects.filter(object_id=member.pk).order_by("created_at")
        assert [entry.action for entry in told] == ["created", "invited", "changed"]
        assert told[2].changes == {"role": [Role.VIEWER, Role.MEMBER]}

    def test_who_is_removed_and_invited_again_gets_a_link(
        self, log_in: LogIn, account: Account, django_capture_on_commit_callbacks: Any
    ) -> None:
        browser = log_in(account=account)
        for _ in range(2):
            with django_capture_on_commit_callbacks(execute=True):
                browser.post(reverse(self.add), {"email": "new@example.com", "role": 20})
            Membership.objects.get(user__email="new@example.com").delete()
        assert "/password/" in mail.outbox[1].body

    def test_who_never_chose_a_password_can_ask_for_a_link(
        self, client: Client, account: Account, django_capture_on_commit_callbacks: Any
    ) -> None:
        invited = UserFactory(email="new@example.com")
        invited.set_unusable_password()
        invited.save()
        with django_capture_on_commit_callbacks(execute=True):
            client.post(reverse("password_reset"), {"email": "New@example.com"})
            assert not mail.outbox
        assert "/password/" in mail.outbox[0].body

    def test_looking_at_a_member_locks_nobody(self, log_in: LogIn, account: Account) -> None:
        owner = MembershipFactory(account=account, role=Role.OWNER)
        browser = log_in(user=owner.user)
        with CaptureQueriesContext(connection) as asked:
            browser.get(reverse("admin:accounts_membership_change", args=[owner.pk]))
        assert not [query for query in asked if "FOR UPDATE" in query["sql"]]

    def test_invites_somebody_of_another_account(self, log_in: LogIn, account: Account) -> None:
        other = MembershipFactory()
        log_in(account=account).post(
            reverse(self.add), {"email": other.user.email, "role": int(Role.VIEWER)}
        )
        assert Membership.objects.filter(user=other.user).count() == 2

    def test_refuses_who_is_a_member_already(self, log_in: LogIn, account: Account) -> None:
        member = MembershipFactory(account=account)
        page = log_in(account=account).post(
            reverse(self.add), {"email": member.user.email.upper(), "role": int(Role.VIEWER)}
        )
        assert "is a member already" in str(page.context["adminform"].form.errors)

    def test_nobody_gives_a_role_above_their_own(self, log_in: LogIn, account: Account) -> None:
        browser = log_in(account=account, role=Role.ADMIN)
        browser.post(reverse(self.add), {"email": "new@example.com", "role": int(Role.OWNER)})
        assert not User.objects.filter(email="new@example.com").exists()
        member = MembershipFactory(account=account, role=Role.MEMBER)
        browser.post(
            reverse("admin:accounts_membership_change", args=[member.pk]),
            {"role": int(Role.OWNER)},
        )
        member.refresh_from_db()
        assert member.role == Role.MEMBER

    def test_nobody_changes_or_removes_who_is_above_them(
        self, log_in: LogIn, account: Account
    ) -> None:
        owner = MembershipFactory(account=account, role=Role.OWNER)
        MembershipFactory(account=account, role=Role.OWNER)
        browser = log_in(account=account, role=Role.ADMIN)
        for page, form in (("change", {"role": 10}), ("delete", {"post": "yes"})):
            link = reverse(f"admin:accounts_membership_{page}", args=[owner.pk])
            assert browser.post(link, form).status_code == 403
        owner.refresh_from_db()
        assert owner.role == Role.OWNER

    def test_the_last_owner_stays(self, log_in: LogIn, account: Account) -> None:
        owner = MembershipFactory(account=account, role=Role.OWNER)
        browser = log_in(user=owner.user)
        page = browser.post(
            reverse("admin:accounts_membership_change", args=[owner.pk]), {"role": 20}
        )
        assert "needs an owner" in str(page.context["adminform"].form.errors)
        link = reverse("admin:accounts_membership_delete", args=[owner.pk])
        assert browser.post(link, {"post": "yes"}).status_code == 403
        MembershipFactory(account=account, role=Role.OWNER)
        assert browser.post(link, {"post": "yes"}).status_code == 302
        assert not Membership.objects.filter(pk=owner.pk).exists()

    def test_are_called_so_on_every_page(self, log_in: LogIn, account: Account) -> None:
        member = MembershipFactory(account=account)
        browser = log_in(account=account, role=Role.OWNER)
        pages = [reverse(self.add), reverse("admin:accounts_membership_changelist")]
        for page in ("change", "history", "delete"):
            pages.append(reverse(f"admin:accounts_membership_{page}", args=[member.pk]))
        pages.append(reverse("admin:common_auditentry_changelist"))
        for page in pages:
            shown = strip_tags(browser.get(page).content.decode()).lower()
            assert "member" in shown, page
            assert "membership" not in shown, page

    @pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER])
    def test_are_for_admins(self, log_in: LogIn, account: Account, role: Role) -> None:
        browser = log_in(account=account, role=role)
        for page in ("membership", "apikey"):
            for action in ("changelist", "add"):
                link = reverse(f"admin:accounts_{page}_{action}")
                assert browser.get(link).status_code == 403


class TestApiKeys:
    def test_the_key_is_shown_once(self, log_in: LogIn, account: Account) -> None:
        browser = log_in(account=account)
        page = browser.post(
            reverse("admin:accounts_apikey_add"), {"name": "Platform", "scopes": ["ingest"]}
        )
        key = ApiKey.objects.get()
        token = page.context["token"]
        assert token in page.content.decode()
        assert "no-store" in page.headers["Cache-Control"]
        assert key.account == account
        for link in (
            reverse("admin:accounts_apikey_changelist"),
            reverse("admin:accounts_apikey_change", args=[key.pk]),
        ):
            assert token not in browser.get(link).content.decode()

    @pytest.mark.parametrize("day", ["2020-01-01", "9999-12-31"])
    def test_ends_in_the_future_that_can_be_told(
        self, log_in: LogIn, account: Account, day: str
    ) -> None:
        page = log_in(account=account).post(
            reverse("admin:accounts_apikey_add"),
            {"name": "Old", "scopes": ["read"], "expires_at_0": day, "expires_at_1": "23:59:59"},
        )
        assert list(page.context["adminform"].form.errors) == ["expires_at"]
        assert not ApiKey.objects.exists()

    def test_is_revoked_by_a_post_after_asking(self, log_in: LogIn, account: Account) -> None:
        key = ApiKeyFactory(account=account)
        browser = log_in(account=account)
        link = reverse("admin:accounts_apikey_revoke", args=[key.pk])
        assert "can not be undone" in browser.get(link).content.decode()
        key.refresh_from_db()
        assert key.revoked_at is None
        browser.post(link)
        key.refresh_from_db()
        assert key.revoked_at is not None

    def test_is_not_edited_or_deleted(self, log_in: LogIn, account: Account) -> None:
        key = ApiKeyFactory(account=account)
        browser = log_in(account=account, role=Role.OWNER)
        for page in ("change", "delete"):
            link = reverse(f"admin:accounts_apikey_{page}", args=[key.pk])
            assert browser.post(link, {"name": "Other", "post": "yes"}).status_code == 403
