"""What gets into the audit log: all that is changed, by whom and from where, and no secret."""

import datetime as dt
import uuid
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Account, Location
from apps.common.access import Access, ReachableAccount, Role
from apps.common.audit import purge_entries, record
from apps.common.audit_reading import as_plain
from apps.common.models import AuditAction, AuditEntry
from apps.common.origin import ActorKind, Origin, acting
from apps.common.tenancy import tenant_scope
from apps.webhooks.models import Webhook
from apps.webhooks.services import rotate_secret
from tests.conftest import LogIn
from tests.factories import (
    AccountFactory,
    ApiKeyFactory,
    CampaignFactory,
    IvrHookFactory,
    LocationFactory,
    MembershipFactory,
    TemplateFactory,
    WebhookFactory,
    WebhookHeaderFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return AccountFactory()


def access_to(*accounts: Account, role: Role = Role.OWNER) -> Access:
    return Access(
        accounts={
            one.pk: ReachableAccount(one.pk, one.name, one.is_agency, role) for one in accounts
        }
    )


def newest(subject: Any) -> AuditEntry:
    return AuditEntry.objects.filter(object_id=subject.pk)[0]


def everything_kept() -> str:
    return repr(list(AuditEntry.objects.values()))


class TestAChangeOfARow:
    def test_is_kept_with_what_was_before_and_after(self, account: Account) -> None:
        location = LocationFactory(account=account, name="Downtown", city="Chicago")
        Location.objects.filter(pk=location.pk).update(city="Boston")
        entry = newest(location)
        assert entry.action == AuditAction.CHANGED
        assert entry.changes == {"city": ["Chicago", "Boston"]}
        assert (entry.account, entry.object_type) == (account, "accounts.location")
        assert entry.object_label == "Downtown"

    def test_tells_all_of_a_new_row_and_of_one_that_is_gone(self, account: Account) -> None:
        location = LocationFactory(account=account, name="Downtown")
        assert newest(location).action == AuditAction.CREATED
        assert newest(location).changes["name"] == [None, "Downtown"]
        assert "site_id" not in newest(location).changes
        key = location.pk
        location.delete()
        entry = AuditEntry.objects.filter(object_id=key)[0]
        assert (entry.action, entry.object_label) == (AuditAction.DELETED, "Downtown")
        assert entry.changes["name"] == ["Downtown", None]

    def test_that_changes_nothing_is_not_told(self, account: Account) -> None:
        location = LocationFactory(account=account)
        before = AuditEntry.objects.count()
        location.save()
        assert AuditEntry.objects.count() == before

    def test_in_bulk_is_told_row_by_row(self, account: Account) -> None:
        made = Location.objects.bulk_create(
            Location(account=account, name=f"Place {number}") for number in range(3)
        )
        Location.objects.filter(account=account).update(is_active=False)
        assert [newest(location).action for location in made] == [AuditAction.DISABLED] * 3

    @pytest.mark.parametrize(("is_active", "action"), [(True, "enabled"), (False, "disabled")])
    def test_of_a_switch_says_which_way(
        self, account: Account, is_active: bool, action: str
    ) -> None:
        campaign = CampaignFactory(account=account, is_active=not is_active)
        campaign.is_active = is_active
        campaign.save(update_fields=["is_active"])
        assert newest(campaign).action == action

    def test_of_what_belongs_to_a_row_is_in_its_history(self, account: Account) -> None:
        webhook = WebhookFactory(account=account)
        header = WebhookHeaderFactory(webhook=webhook, name="X-Api-Key")
        version = TemplateFactory(account=account).current_version
        assert newest(header) in AuditEntry.objects.about(webhook.pk)
        assert newest(version) in AuditEntry.objects.about(version.template_id)
        assert newest(version).object_label == str(version)

    def test_of_account_settings_is_told(self, account: Account) -> None:
        account.keep_bodies_days = 7
        account.save(update_fields=["keep_bodies_days"])
        assert newest(account).changes == {"keep_bodies_days": [30, 7]}

    def test_of_a_person_is_told_in_each_of_their_accounts(self) -> None:
        member = MembershipFactory(user__full_name="Mia")
        MembershipFactory(user=member.user)
        member.user.full_name = "Mia Muster"
        member.user.save(update_fields=["full_name"])
        told = AuditEntry.objects.filter(object_id=member.user_id)
        assert {entry.account_id for entry in told} == set(
            member.user.memberships.values_list("account_id", flat=True)
        )

    def test_that_is_rolled_back_is_not_told(self, account: Account) -> None:
        with transaction.atomic():
            location = LocationFactory(account=account)
            transaction.set_rollback(True)
        assert not AuditEntry.objects.filter(object_id=location.pk).exists()


class TestSecrets:
    def test_are_told_to_have_changed_and_nothing_more(self, account: Account) -> None:
        webhook = WebhookFactory(account=account)
        old = webhook.secret
        rotate_secret(webhook=webhook)
        webhook.refresh_from_db()
        assert newest(webhook).action == AuditAction.SECRET_REPLACED
        assert newest(webhook).changes["secret"] == ["••••••••", "••••••••"]
        kept = everything_kept()
        assert old not in kept
        assert webhook.secret not in kept

    def test_of_headers_and_keys_and_people_are_not_kept(self, account: Account) -> None:
        header = WebhookHeaderFactory(webhook__account=account, value="Bearer abc-123")
        key = ApiKeyFactory(account=account)
        user = MembershipFactory(account=account).user
        user.set_password("another-long-passphrase")
        user.save(update_fields=["password"])
        kept = everything_kept()
        with connection.cursor() as cursor:
            cursor.execute("SELECT value FROM webhooks_webhookheader WHERE id = %s", [header.pk])
            (ciphertext,) = cursor.fetchone()
        for secret in ("abc-123", ciphertext, key.token, key.token_hash, user.password):
            assert secret not in kept
        assert newest(user).action == AuditAction.PASSWORD_CHANGED

    def test_in_the_query_of_an_address_are_masked(self, account: Account) -> None:
        webhook = WebhookFactory(account=account, url="https://a.example/in?key=s3cret&x=1#top")
        assert newest(webhook).changes["url"][1] == (
            "https://a.example/in?key=••••••••&x=••••••••#top"
        )

    @pytest.mark.parametrize("column", ["target_url", "fallback_url", "redirect_url"])
    def test_in_the_queries_of_other_addresses_are_masked(
        self, account: Account, column: str
    ) -> None:
        hook = IvrHookFactory(ivr__account=account, account=account)
        setattr(hook, column, "https://a.example/in?s3cret&key=s3cret=")
        hook.save(update_fields=[column])
        assert newest(hook).changes[column][1] == "https://a.example/in?••••••••&key=••••••••"

    def test_are_not_taken_for_new_ones_when_a_row_is_saved_whole(self, account: Account) -> None:
        webhook = Webhook.objects.get(pk=WebhookFactory(account=account).pk)
        webhook.name = "Renamed"
        webhook.save()
        assert set(newest(webhook).changes) == {"name"}

    def test_of_samples_and_mappings_stay_in_their_version(self, account: Account) -> None:
        version = TemplateFactory(account=account).current_version
        assert not {"sample", "mapping"} & set(newest(version).changes)


class TestWhoAndFromWhere:
    def test_a_person_in_the_admin(self, account: Account, log_in: LogIn) -> None:
        member = MembershipFactory(account=account, user__full_name="Mia")
        form = {"name": "Downtown", "country": "US", "time_zone": "America/New_York"}
        log_in(user=member.user).post(
            reverse("admin:accounts_location_add"),
            form,
            headers={"User-Agent": "Browser\t1", "X-Request-Id": "req-from-outside"},
        )
        entry = newest(Location.objects.get())
        assert (entry.actor_kind, entry.actor_id) == (ActorKind.USER, member.user_id)
        assert entry.actor_label == f"Mia ({member.user.email})"
        assert (entry.via, entry.ip, entry.user_agent) == ("admin", "127.0.0.1", "Browser1")
        assert entry.request_id == "req-from-outside"

    def test_an_operator_is_named_too(self, account: Account, log_in: LogIn) -> None:
        member = MembershipFactory(user__is_superuser=True)
        location = LocationFactory(account=account)
        log_in(user=member.user).post(
            reverse("admin:accounts_location_delete", args=[location.pk]), {"post": "yes"}
        )
        assert newest(location).actor_id == member.user_id

    def test_hookline_itself_where_nobody_asked(self, account: Account) -> None:
        entry = newest(LocationFactory(account=account))
        assert (entry.actor_kind, entry.actor_label) == (ActorKind.SYSTEM, "Hookline")
        assert (entry.actor_id, entry.ip, entry.request_id) == (None, None, "")

    def test_a_key(self, account: Account) -> None:
        key = uuid.uuid4()
        who = Origin(ActorKind.KEY, key, "import (hk_abc…)", "api", "2001:db8::1", "curl", "req_1")
        with acting(who), tenant_scope(access_to(account)):
            location = Location.objects.create(account=account, name="By key")
            record(action=AuditAction.RESENT, account_id=account.pk, subject=location, note="All")
        for entry in AuditEntry.objects.filter(object_id=location.pk):
            assert (entry.actor_kind, entry.actor_id) == ("key", key)
            assert (entry.actor_label, entry.via, entry.ip) == (who.label, "api", "2001:db8::1")
            assert (entry.user_agent, entry.request_id) == ("curl", "req_1")

    def test_is_forgotten_at_the_end_of_the_request(self, account: Account) -> None:
        with acting(Origin(ActorKind.USER, label="Mia")), tenant_scope(access_to(account)):
            pass
        assert newest(LocationFactory(account=account)).actor_kind == ActorKind.SYSTEM

    @pytest.mark.parametrize(
        ("header", "ip"),
        [("6.6.6.6, 203.0.113.7", "203.0.113.7"), ("", "127.0.0.1"), ("unknown", None)],
    )
    def test_the_address_is_what_our_proxy_says(
        self, account: Account, log_in: LogIn, settings: Any, header: str, ip: str | None
    ) -> None:
        settings.BEHIND_TLS_PROXY = True
        location = LocationFactory(account=account)
        log_in(account=account, role=Role.OWNER).post(
            reverse("admin:accounts_location_delete", args=[location.pk]),
            {"post": "yes"},
            headers={"X-Forwarded-For": header},
        )
        assert newest(location).ip == ip


class TestAppendOnly:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE common_auditentry SET note = 'forged'",
            "DELETE FROM common_auditentry",
            "TRUNCATE common_auditentry",
        ],
    )
    def test_the_restricted_role_changes_and_deletes_nothing(
        self, account: Account, statement: str
    ) -> None:
        with (
            tenant_scope(access_to(account)),
            connection.cursor() as cursor,
            pytest.raises(DatabaseError, match="permission denied"),
            transaction.atomic(),
        ):
            cursor.execute(statement)

    def test_the_restricted_role_adds_to_reachable_accounts_only(self, account: Account) -> None:
        with tenant_scope(access_to(account)):
            record(action=AuditAction.NOTED, account_id=account.pk)
            with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
                record(action=AuditAction.NOTED, account_id=AccountFactory._meta.model().pk)


class TestReading:
    def test_is_told_to_clients_with_public_ids(self, account: Account) -> None:
        location = LocationFactory(account=account)
        webhook = WebhookFactory(account=account, location=location)
        plain = as_plain(newest(webhook))
        assert plain["object"] == {
            "type": "webhook",
            "id": webhook.public_id,
            "name": webhook.name,
        }
        assert plain["account"] == account.public_id
        assert plain["changes"]["location_id"] == [None, location.public_id]
        assert plain["actor"] == {"kind": "system", "id": None, "name": "Hookline"}


class TestPurge:
    def test_deletes_what_is_older_step_by_step(
        self, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("apps.common.audit.STEP", 2)
        old = timezone.now() - dt.timedelta(days=10)
        for _ in range(3):
            record(action=AuditAction.NOTED, account_id=account.pk)
        AuditEntry.objects.filter(account=account).update(created_at=old)
        kept = record(action=AuditAction.NOTED, account_id=account.pk)
        other = record(action=AuditAction.NOTED, account_id=AccountFactory().pk)
        AuditEntry.objects.filter(pk=other.pk).update(created_at=old)
        until = timezone.now() - dt.timedelta(days=5)
        steps = list(purge_entries(account_id=account.pk, until=until))
        assert len(steps) == 2
        assert set(AuditEntry.objects.filter(action=AuditAction.NOTED)) == {kept, other}
