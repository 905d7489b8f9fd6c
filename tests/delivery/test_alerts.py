"""Who is told of a failing endpoint and when, and when it is switched off."""

import datetime as dt
from collections.abc import Sequence
from smtplib import SMTPDataError, SMTPRecipientsRefused

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries, Settings

from apps.accounts.models import Account
from apps.common.access import Role
from apps.delivery.alerting import DISABLE_AFTER, Rung, is_hopeless, rung
from apps.delivery.alerts import HOPELESS, send_alerts, watch_endpoints
from apps.delivery.models import Alert, EndpointHealth
from apps.webhooks.models import Webhook
from tests.builders import lose_key
from tests.factories import AccountFactory, MembershipFactory, WebhookFactory

START = dt.datetime(2026, 3, 28, tzinfo=dt.UTC)
STEPS = [Rung.FAILING, Rung.HALF, Rung.SEVENTY, Rung.NINETY]


class TestTheLadder:
    @pytest.mark.parametrize(
        ("share", "expected"),
        [(0.001, Rung.FAILING), (0.5, Rung.HALF), (0.7, Rung.SEVENTY), (0.95, Rung.NINETY)],
    )
    def test_has_a_rung_for_each_share(self, share: float, expected: Rung) -> None:
        assert rung(START, START + share * DISABLE_AFTER, is_open=False) is expected

    def test_begins_when_it_lasts_or_the_breaker_is_open(self) -> None:
        soon = START + dt.timedelta(minutes=1)
        assert rung(START, soon, is_open=False) is None
        assert rung(START, soon, is_open=True) is Rung.FAILING

    @given(st.floats(0, 2), st.floats(0, 2))
    def test_is_only_climbed(self, one: float, other: float) -> None:
        low, high = sorted((one, other))
        before, after = (
            rung(START, START + share * DISABLE_AFTER, is_open=True) for share in (low, high)
        )
        assert before is not None
        assert after is not None
        assert STEPS.index(before) <= STEPS.index(after)

    def test_ends_only_if_failures_are_spread(self) -> None:
        now = START + DISABLE_AFTER
        assert is_hopeless(START, START + dt.timedelta(hours=12), now)
        assert not is_hopeless(START, START + dt.timedelta(hours=11), now)
        assert not is_hopeless(START, now, now - dt.timedelta(seconds=1))


@pytest.mark.django_db
class TestAlerts:
    @pytest.fixture
    def account(self) -> Account:
        account = AccountFactory(name="Elm")
        for role in Role:
            MembershipFactory(
                account=account, role=role, user__email=f"{role.name.lower()}@elm.example"
            )
        return account

    @pytest.fixture
    def webhook(self, account: Account) -> Webhook:
        return WebhookFactory(account=account, name="CRM")

    @staticmethod
    def fail(webhook: Webhook, share: float) -> None:
        """Let it have failed for this share of the way to being switched off."""
        now = timezone.now()
        since = EndpointHealth.objects.get(webhook=webhook).created_at - share * DISABLE_AFTER
        EndpointHealth.objects.filter(webhook=webhook).update(
            failing_since=since, last_failure_at=now, failures_in_row=9
        )

    def tell(self) -> list[str]:
        mail.outbox.clear()
        for _ in range(3):
            watch_endpoints()
            send_alerts()
        return [message.subject for message in mail.outbox]

    def test_go_to_admins_and_owners_once(self, webhook: Webhook) -> None:
        self.fail(webhook, 0.1)
        subjects = self.tell()
        assert subjects == ["“CRM” is failing"] * 2
        assert {each.to[0] for each in mail.outbox} == {"admin@elm.example", "owner@elm.example"}
        assert f"/webhooks/webhook/{webhook.pk}/health/" in str(mail.outbox[0].body)
        assert self.tell() == []

    def test_say_nothing_of_a_single_failure(self, webhook: Webhook) -> None:
        self.fail(webhook, 0.1)
        EndpointHealth.objects.update(failures_in_row=1)
        assert self.tell() == []

    def test_end_with_the_recovery(self, webhook: Webhook) -> None:
        self.fail(webhook, 0.1)
        self.tell()
        EndpointHealth.objects.update(failing_since=None, last_success_at=timezone.now())
        assert self.tell() == ["“CRM” works again"] * 2
        assert self.tell() == []

    def test_tell_of_a_webhook_that_is_switched_off(self, webhook: Webhook) -> None:
        self.fail(webhook, 1.01)
        assert self.tell() == ["“CRM” was switched off"] * 2
        webhook.refresh_from_db()
        assert (webhook.is_active, webhook.disabled_reason) == (False, HOPELESS)

    def test_wait_for_a_mail_server_that_is_away(
        self, webhook: Webhook, settings: Settings
    ) -> None:
        self.fail(webhook, 0.1)
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
        assert self.tell() == []
        assert Alert.objects.get().sent_at is None

        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        assert len(self.tell()) == 2

    def test_wait_for_no_address_that_is_refused(
        self, webhook: Webhook, settings: Settings
    ) -> None:
        self.fail(webhook, 0.1)
        other = WebhookFactory(name="Other")
        MembershipFactory(account=other.account, role=Role.ADMIN, user__email="ada@oak.example")
        self.fail(other, 0.2)
        settings.EMAIL_BACKEND = "tests.delivery.test_alerts.RefusesOwners"

        subjects = self.tell()

        assert sorted(subjects) == ["“CRM” is failing", "“Other” is failing"]
        assert not Alert.objects.filter(sent_at=None).exists()
        assert self.tell() == []

    @pytest.mark.parametrize(
        ("code", "told_of_later"), [(554, []), (452, ["“CRM” is failing"] * 2)]
    )
    def test_wait_for_no_mail_that_is_refused(
        self,
        webhook: Webhook,
        settings: Settings,
        monkeypatch: pytest.MonkeyPatch,
        code: int,
        told_of_later: list[str],
    ) -> None:
        self.fail(webhook, 0.2)
        other = WebhookFactory(name="Other")
        MembershipFactory(account=other.account, role=Role.ADMIN, user__email="ada@oak.example")
        self.fail(other, 0.1)
        settings.EMAIL_BACKEND = "tests.delivery.test_alerts.RefusesTheCRM"
        monkeypatch.setattr(RefusesTheCRM, "code", code)

        assert self.tell() == ["“Other” is failing"]

        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        assert self.tell() == told_of_later

    def test_go_once_to_others_while_an_address_is_refused_for_now(
        self, webhook: Webhook, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.fail(webhook, 0.1)
        settings.EMAIL_BACKEND = "tests.delivery.test_alerts.RefusesOwners"
        monkeypatch.setattr(RefusesOwners, "code", 452)
        assert self.tell() == ["“CRM” is failing"]

    def test_wait_for_no_webhook_whose_secret_can_not_be_read(self, webhook: Webhook) -> None:
        other = WebhookFactory(name="Other")
        MembershipFactory(account=other.account, role=Role.ADMIN, user__email="ada@oak.example")
        self.fail(webhook, 0.1)
        self.fail(other, 0.1)
        lose_key(webhook)
        failing = ["“CRM” is failing", "“CRM” is failing", "“Other” is failing"]
        assert sorted(self.tell()) == failing

        EndpointHealth.objects.update(failing_since=None, last_success_at=timezone.now())
        well = ["“CRM” works again", "“CRM” works again", "“Other” works again"]
        assert sorted(self.tell()) == well

    def test_are_looked_for_in_as_many_queries_however_many_fail(
        self, account: Account, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(12):
            self.fail(WebhookFactory(account=account, name=f"CRM {number}"), 0.1)
        watch_endpoints()

        with django_assert_max_num_queries(3):
            watch_endpoints()


class RefusesOwners(EmailBackend):
    """A mail server that knows no owners."""

    code = 550

    def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        """Take those for others."""
        for message in messages:
            if message.to[0].startswith("owner@"):
                raise SMTPRecipientsRefused({message.to[0]: (self.code, b"No such user")})
        return super().send_messages(messages)


class RefusesTheCRM(EmailBackend):
    """A mail server that takes what is said of one webhook for spam."""

    code = 554

    def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        """Take what is said of others."""
        if any("CRM" in message.subject for message in messages):
            raise SMTPDataError(self.code, b"Looks like spam")
        return super().send_messages(messages)
