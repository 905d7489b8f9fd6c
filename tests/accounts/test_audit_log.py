"""Who logged in, and the audit log as admins read it."""

import datetime as dt
import uuid
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Account
from apps.common.audit import record
from apps.common.models import AuditAction, AuditEntry
from apps.common.origin import ActorKind
from apps.webhooks.models import Webhook
from tests.conftest import LogIn
from tests.factories import (
    PASSWORD,
    AccountFactory,
    AuditEntryFactory,
    LocationFactory,
    MembershipFactory,
    WebhookFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return AccountFactory()


class TestLoggingIn:
    def log_in(self, client: Client, email: str, password: str) -> None:
        client.post(reverse("admin:login"), {"username": email, "password": password})

    def test_is_told_in_each_account_of_the_person(self, client: Client) -> None:
        member = MembershipFactory()
        MembershipFactory(user=member.user)
        self.log_in(client, member.user.email, PASSWORD)
        told = AuditEntry.objects.filter(action=AuditAction.LOGGED_IN)
        assert {entry.account_id for entry in told} == set(
            member.user.memberships.values_list("account_id", flat=True)
        )
        assert {entry.actor_id for entry in told} == {member.user_id}
        assert {entry.ip for entry in told} == {"127.0.0.1"}

    def test_that_failed_is_told_without_what_was_typed(self, client: Client) -> None:
        member = MembershipFactory()
        self.log_in(client, member.user.email.upper(), "wrong-password")
        entry = AuditEntry.objects.get(action=AuditAction.LOGIN_FAILED)
        assert (entry.actor_kind, entry.object_id) == (ActorKind.VISITOR, member.user_id)
        assert "wrong-password" not in repr(list(AuditEntry.objects.values()))

    def test_of_nobody_is_told_nobody(self, client: Client) -> None:
        MembershipFactory()
        self.log_in(client, "nobody@example.com", "wrong-password")
        assert not AuditEntry.objects.filter(action=AuditAction.LOGIN_FAILED).exists()


class TestTheLogInTheAdmin:
    page = "admin:common_auditentry_changelist"

    def test_is_filtered_by_person_kind_action_and_day(
        self, account: Account, log_in: LogIn
    ) -> None:
        today = timezone.localdate(timezone=ZoneInfo(account.time_zone))
        member = MembershipFactory(account=account, user__full_name="Mia")
        location = LocationFactory(account=account, name="Downtown")
        browser = log_in(user=member.user)
        browser.post(reverse("admin:accounts_location_delete", args=[location.pk]), {"post": "yes"})
        for wanted, total in (
            ({"actor": str(member.user_id)}, 1),
            ({"actor": "system", "type": "accounts.location"}, 1),
            ({"type": "accounts.location"}, 2),
            ({"action__exact": "deleted"}, 1),
            ({"q": location.public_id}, 2),
            ({"q": "downtown"}, 2),
            ({"type": "accounts.location", "created_at_from": str(today)}, 2),
            ({"created_at_to": str(today - dt.timedelta(days=2))}, 0),
            ({"created_at_from": "nonsense", "type": "accounts.location"}, 2),
            ({"actor": "nonsense"}, 0),
        ):
            page = browser.get(reverse(self.page), wanted)
            assert page.status_code == 200, wanted
            assert len(page.context["cl"].result_list) == total, wanted

    def test_offers_those_who_did_something_lately(
        self, account: Account, log_in: LogIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("apps.accounts.admin.audit._NEWEST", 2)
        browser = log_in(account=account)
        for name in ("Ann", "Ben", "Cid"):
            AuditEntryFactory(
                account=account, actor_kind="user", actor_id=uuid.uuid4(), actor_label=name
            )
        page = browser.get(reverse(self.page))
        (who, *_) = page.context["cl"].filter_specs
        assert [name for _, name in who.lookup_choices] == ["Ben", "Cid"]

    def test_shows_an_entry_with_names_in_place_of_keys(
        self, account: Account, log_in: LogIn
    ) -> None:
        webhook = WebhookFactory(account=account)
        other = LocationFactory(account=account, name="Uptown <b>")
        Webhook.objects.filter(pk=webhook.pk).update(location=other)
        newest = AuditEntry.objects.filter(object_id=webhook.pk)[0]
        page = log_in(account=account).get(
            reverse("admin:common_auditentry_change", args=[newest.pk])
        )
        shown = page.content.decode()
        assert "Uptown &lt;b&gt;" in shown
        assert str(webhook.location) in shown

    def test_leads_to_rows_but_not_to_people_whose_pages_are_for_operators(
        self, account: Account, log_in: LogIn
    ) -> None:
        member = MembershipFactory(account=account)
        browser = log_in(account=account)
        for row, leads in ((member, True), (member.user, False)):
            entry = record(action=AuditAction.NOTED, account_id=account.pk, subject=row)
            page = browser.get(reverse("admin:common_auditentry_change", args=[entry.pk]))
            address = reverse(
                f"admin:{row._meta.label_lower.replace('.', '_')}_change", args=[row.pk]
            )
            assert (f'href="{address}"' in page.content.decode()) is leads

    def test_entries_of_what_is_no_more_are_readable(self, account: Account, log_in: LogIn) -> None:
        entry = record(action=AuditAction.NOTED, account_id=account.pk, note="Of old")
        AuditEntry.objects.filter(pk=entry.pk).update(
            object_type="gone.model", object_id=uuid.uuid4(), changes={"gone_id": ["a", None]}
        )
        browser = log_in(account=account)
        assert "Of old" in browser.get(reverse(self.page)).content.decode()
        page = browser.get(reverse("admin:common_auditentry_change", args=[entry.pk]))
        assert page.status_code == 200
