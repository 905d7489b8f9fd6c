"""Retention: what is forgotten when, and what never is."""

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Account
from apps.calls.models import Call, CallEvent
from apps.common.access import Role
from apps.common.models import AuditEntry
from apps.delivery import retention
from apps.delivery.models import Alert, Attempt, Delivery, DeliveryState
from apps.delivery.retention import _DELIVERIES, STEP, Purge
from apps.delivery.sweep import Sweep
from tests.builders import World, attach, event, make_webhook
from tests.conftest import LogIn
from tests.delivery.receiver import Receiver
from tests.delivery.sending import drain, take
from tests.factories import (
    AccountFactory,
    AlertFactory,
    AttemptFactory,
    AuditEntryFactory,
    DeliveryFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)


def days_ago(days: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(days=days)


def purge() -> None:
    """Walk over everything once."""
    Purge().run_for(60.0)


def ended(account: Account, days: float, **fields: Any) -> Delivery:
    """A delivery of a call of its own that ended so many days ago."""
    at = days_ago(days)
    delivery: Delivery = DeliveryFactory(
        account=account,
        **{"created_at": at, "finished_at": at, "call__created_at": at, **fields},
    )
    CallEvent.objects.filter(pk=delivery.event_id).update(created_at=at)
    AttemptFactory(delivery=delivery, started_at=at, url="https://crm.example/lead?name=Ada")
    return delivery


@pytest.fixture
def account() -> Account:
    return AccountFactory()


class TestBodies:
    def test_are_removed_after_thirty_days(self, account: Account) -> None:
        delivery = ended(account, 31)

        purge()

        delivery.refresh_from_db()
        attempt = Attempt.objects.get()
        assert delivery.bodies_removed_at is not None
        assert (attempt.request_body, attempt.response_body) == ("", "")
        assert (attempt.request_headers, attempt.response_headers) == ({}, [])
        assert attempt.url == "https://crm.example/lead"
        assert (attempt.response_status, attempt.total_ms) == (200, 12.5)

    def test_are_kept_until_then(self, account: Account) -> None:
        ended(account, 29)
        purge()
        assert Attempt.objects.get().request_body

    def test_count_from_the_end_of_the_delivery(self, account: Account) -> None:
        delivery = ended(account, 31, finished_at=days_ago(2))
        purge()
        delivery.refresh_from_db()
        assert delivery.bodies_removed_at is None

    def test_are_kept_for_as_long_as_the_account_says(self, account: Account) -> None:
        Account.objects.filter(pk=account.pk).update(keep_bodies_days=7)
        ended(account, 8)
        other = ended(AccountFactory(), 8)
        purge()
        assert list(Delivery.objects.filter(bodies_removed_at=None)) == [other]

    def test_are_told_of_as_removed(self, account: Account, log_in: LogIn) -> None:
        delivery = ended(account, 31)
        purge()
        page = log_in(account=account, role=Role.VIEWER).get(
            reverse("admin:delivery_delivery_change", args=[delivery.pk])
        )
        assert "removed after 30 days" in page.content.decode()
        assert "curl -X" not in page.content.decode()


class TestDeliveries:
    def test_go_with_their_tries_and_their_call_after_ninety_days(self, account: Account) -> None:
        ended(account, 91)
        purge()
        assert not Delivery.objects.exists()
        assert not Attempt.objects.exists()
        assert not CallEvent.objects.exists()
        assert not Call.objects.exists()

    def test_that_are_unfinished_stay(self, account: Account) -> None:
        for state in DeliveryState.unfinished():
            ended(account, 400, state=state, finished_at=None)
        purge()
        assert Delivery.objects.filter(bodies_removed_at=None).count() == 2
        assert Attempt.objects.exclude(request_body="").count() == 2
        assert Call.objects.count() == 2

    def test_that_were_sent_again_go_after_what_came_of_them(self, account: Account) -> None:
        original = ended(account, 100)
        again = ended(
            account,
            80,
            resent_from=original,
            webhook=original.webhook,
            call=original.call,
            event=original.event,
        )
        purge()
        assert Delivery.objects.count() == 2

        Delivery.objects.filter(pk=again.pk).update(
            created_at=days_ago(95), finished_at=days_ago(95)
        )
        purge()
        purge()
        assert not Delivery.objects.exists()

    def test_that_somebody_holds_are_passed_over(self, account: Account) -> None:
        held, free = ended(account, 91), ended(account, 91)
        other = connection.copy()
        try:
            other.set_autocommit(False)
            with other.cursor() as cursor:
                cursor.execute(
                    "SELECT FROM delivery_delivery WHERE id = %s FOR KEY SHARE", [held.pk]
                )
            purge()
            assert list(Delivery.objects.all()) == [held]
            # To close it would let go of the lock some time later.
            other.rollback()
        finally:
            other.close()
        purge()
        assert not Delivery.objects.filter(pk__in=[held.pk, free.pk]).exists()


class TestCalls:
    def test_that_a_delivery_tells_of_stay(self, account: Account) -> None:
        old = ended(account, 91)
        DeliveryFactory(account=account, call=old.call, finished_at=timezone.now())
        purge()
        assert Call.objects.get() == old.call
        assert old.call.events.count() == 2

    def test_stay_while_an_event_of_theirs_is_recent(self, account: Account) -> None:
        old = ended(account, 91)
        CallEvent.objects.update(created_at=days_ago(1))
        purge()
        assert not Delivery.objects.exists()
        assert list(Call.objects.all()) == [old.call]
        assert CallEvent.objects.count() == 1


class TestAlerts:
    def test_go_unless_their_endpoint_still_fails(self, account: Account) -> None:
        old = AlertFactory(webhook__account=account, created_at=days_ago(91))
        AlertFactory(webhook=old.webhook, created_at=days_ago(1))
        lasting = AlertFactory(webhook__account=account, created_at=days_ago(91))
        health = lasting.webhook.health
        health.failing_since = lasting.failing_since
        health.save()

        purge()

        assert Alert.objects.count() == 2
        assert not Alert.objects.filter(pk=old.pk).exists()


class TestThePurge:
    def test_goes_on_where_it_stopped(self, account: Account) -> None:
        deliveries = [ended(account, 91) for _ in range(3)]
        Delivery.objects.filter(pk__in=[each.pk for each in deliveries[:2]]).update(
            account=AccountFactory()
        )
        walk = Purge(clock=iter(range(10_000)).__next__)
        left = set()
        for _ in range(12):
            walk.run_for(1)
            left.add(Delivery.objects.count())
        assert {0, 3} < left

    def test_of_one_account_that_fails_keeps_no_other_waiting(
        self, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        purged: list[uuid.UUID] = []

        def purge_room(account_id: uuid.UUID, *_: dt.datetime) -> Iterator[None]:
            purged.append(account_id)
            if account_id == account.pk:
                raise IntegrityError("Something refers to what is to go.")
            yield

        monkeypatch.setattr(retention, "PURGES", [purge_room])
        others = [AccountFactory() for _ in range(2)]
        purge()
        assert purged == [account.pk, *(other.pk for other in others)]

    def test_walks_by_an_index_alone(self, account: Account) -> None:
        ended(account, 91)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(
                "EXPLAIN " + _DELIVERIES,
                [account.pk, timezone.now(), days_ago(400), account.pk, STEP],
            )
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "delivery_newest_of_account" in plan
        assert "Seq Scan" not in plan

    def test_is_the_work_of_the_sweep(self, world: World, receiver: Receiver) -> None:
        attach(make_webhook(world, receiver.url()))
        take(world, event(world))
        drain()
        Delivery.objects.update(created_at=days_ago(91), finished_at=days_ago(91))

        Sweep().run_once()

        assert not Delivery.objects.exists()


class TestAnAccount:
    @pytest.mark.parametrize(
        ("bodies", "records"), [(0, 90), (91, 90), (30, 731), (731, 730), (-1, 90), (30, 0)]
    )
    def test_keeps_within_bounds(self, account: Account, bodies: int, records: int) -> None:
        account.keep_bodies_days, account.keep_records_days = bodies, records
        with pytest.raises(ValidationError):
            account.full_clean()
        with pytest.raises(IntegrityError):
            account.save()

    def test_keeps_its_audit_log_for_as_long_as_it_says(self, account: Account) -> None:
        account.keep_audit_days = 40
        account.save(update_fields=["keep_audit_days"])
        forgotten, kept = (
            AuditEntryFactory(account=account, created_at=timezone.now() - dt.timedelta(days=days))
            for days in (41, 39)
        )
        purge()
        left = AuditEntry.objects.filter(pk__in=[forgotten.pk, kept.pk])
        assert list(left) == [kept]

    def test_is_told_how_long_by_its_admin(self, account: Account, log_in: LogIn) -> None:
        page = reverse("admin:accounts_account_change", args=[account.pk])
        form = {"name": account.name, "time_zone": account.time_zone, "is_active": "on"}
        browser = log_in(account=account, role=Role.ADMIN)

        refused = browser.post(page, {**form, "keep_bodies_days": 91, "keep_records_days": 90})
        assert "no longer than their deliveries" in refused.content.decode()

        browser.post(page, {**form, "keep_bodies_days": 7, "keep_records_days": 60})
        account.refresh_from_db()
        assert (account.keep_bodies_days, account.keep_records_days) == (7, 60)

        browser.post(page, {**form, "keep_bodies_days": "", "name": "Other"})
        account.refresh_from_db()
        assert (account.name, account.keep_bodies_days, account.keep_records_days) == (
            "Other",
            7,
            60,
        )
