"""The health of endpoints, over a real database and a real receiver."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from apps.common.access import Access, ReachableAccount, Role
from apps.common.tenancy import tenant_scope
from apps.delivery.breaker import RELEASE_PAUSE, in_window
from apps.delivery.engine import health as health_module
from apps.delivery.engine import senders
from apps.delivery.models import Attempt, Delivery, EndpointHealth
from apps.delivery.sweep import Sweep
from apps.webhooks.models import Webhook
from tests.builders import World, attach, make_webhook, switch_off, switch_on
from tests.common.processes import wait_until
from tests.delivery.receiver import Receiver
from tests.delivery.sending import drain, fall_due, running_drain, states, take_calls

pytestmark = pytest.mark.django_db(transaction=True)


def attached(world: World, receiver: Receiver, path: str, **fields: Any) -> Webhook:
    webhook = make_webhook(world, receiver.url(path), **fields)
    attach(webhook)
    return webhook


def mend(webhook: Webhook, receiver: Receiver) -> None:
    """Let the endpoint be well from now on."""
    webhook.url = receiver.url("/ok")
    webhook.save(update_fields=["url"])


def probe_now() -> None:
    EndpointHealth.objects.update(probe_at=timezone.now())


class TestHealth:
    def test_tells_of_success(self, world: World, receiver: Receiver) -> None:
        webhook = attached(world, receiver, "/ok")
        assert webhook.health.last_success_at is None
        take_calls(world, 30)

        drain()

        health = EndpointHealth.objects.get()
        assert health.account == world.account
        assert in_window(health.slices, timezone.now()) == (30, 0)
        assert health.last_success_at is not None
        assert health.failing_since is None

    def test_tells_of_failure(self, world: World, receiver: Receiver) -> None:
        attached(world, receiver, "/unavailable")
        take_calls(world, 4)

        drain()

        health = EndpointHealth.objects.get()
        assert in_window(health.slices, timezone.now()) == (4, 4)
        assert health.failures_in_row == 4
        assert health.failing_since == health.last_failure_at
        assert health.last_success_at is None

    def test_says_nothing_of_a_payload_that_can_not_be_made(
        self, world: World, receiver: Receiver
    ) -> None:
        webhook = attached(world, receiver, "/ok")
        take_calls(world, 1)
        Webhook.objects.filter(pk=webhook.pk).update(secret="whsec_x")

        drain()

        assert EndpointHealth.objects.get().slices == []

    def test_adds_up_over_several_webhooks(self, world: World, receiver: Receiver) -> None:
        for number in range(5):
            attached(world, receiver, f"/ok/{number}")
        take_calls(world, 40)

        drain()

        now = timezone.now()
        every = EndpointHealth.objects.values_list("slices", flat=True)
        assert [in_window(slices, now) for slices in every] == [(40, 0)] * 5


class TestAnOpenBreaker:
    @pytest.fixture
    def webhook(self, world: World, receiver: Receiver) -> Webhook:
        webhook = attached(world, receiver, "/unavailable-then-gated")
        take_calls(world, 80)
        with running_drain():
            wait_until(lambda: EndpointHealth.objects.get().probe_at)
            receiver.gate.set()
            wait_until(lambda: not Delivery.objects.exclude(claim=None).exists())
        return webhook

    @pytest.mark.usefixtures("webhook")
    def test_spends_no_more_tries(self, receiver: Receiver) -> None:
        tried = len(receiver.requests)
        assert 10 <= tried < 80
        untried = Delivery.objects.filter(attempt_count=0, state="pending", claim=None)
        assert untried.count() == 80 - tried
        fall_due(*untried)

        assert drain().claimed == 0
        assert Attempt.objects.count() == tried

    @pytest.mark.usefixtures("webhook")
    def test_holds_no_other_webhook_back(self, world: World, receiver: Receiver) -> None:
        attached(world, receiver, "/ok")
        take_calls(world, 3, prefix="later")

        assert drain().succeeded == 3

    @pytest.mark.usefixtures("webhook")
    def test_lets_one_probe_through_whoever_asks(self, receiver: Receiver) -> None:
        tried = len(receiver.requests)
        Delivery.objects.update(next_attempt_at=timezone.now())
        probe_now()

        with running_drain(), running_drain(), running_drain():
            wait_until(lambda: len(receiver.requests) > tried)
            wait_until(lambda: EndpointHealth.objects.get().probe_wait_s == 60)

        assert len(receiver.requests) == tried + 1
        health = EndpointHealth.objects.get()
        assert not health.is_probing
        assert health.probe_at is not None
        wait = health.probe_at - timezone.now()
        assert dt.timedelta(seconds=40) < wait <= dt.timedelta(seconds=60)

    def test_closes_with_the_probe_and_sends_the_whole_backlog(
        self, webhook: Webhook, receiver: Receiver
    ) -> None:
        mend(webhook, receiver)
        probe_now()

        with running_drain():
            wait_until(lambda: states() == ["succeeded"] * 80)

        health = EndpointHealth.objects.get()
        assert (health.probe_at, health.failing_since) == (None, None)
        assert health.release_at is None

    def test_hands_its_probe_on_when_the_worker_stops(
        self, webhook: Webhook, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # The whole grace is waited for in test_worker.
        monkeypatch.setattr(senders, "STOP_GRACE_S", 0.5)
        webhook.url = receiver.url("/hang")
        webhook.save(update_fields=["url"])
        probe_now()
        with running_drain() as running:
            wait_until(lambda: len(receiver.at("/hang")) == 1)
            running.stop()

        health = EndpointHealth.objects.get()
        assert not health.is_probing
        assert health.probe_at is not None
        assert health.probe_at < timezone.now() + dt.timedelta(seconds=6)

    @pytest.mark.usefixtures("webhook")
    def test_is_no_work_for_the_sweep(self, receiver: Receiver) -> None:
        tried = len(receiver.requests)
        sweep = Sweep()
        for _ in range(3):
            sweep.run_once()
        assert sweep.unattended == 0
        assert len(receiver.requests) == tried


class TestBackOnline:
    def test_the_first_success_releases_the_backlog_oldest_first(
        self, world: World, receiver: Receiver
    ) -> None:
        webhook = attached(world, receiver, "/unavailable")
        take_calls(world, 6)
        drain()
        assert states() == ["pending"] * 6
        Delivery.objects.update(next_attempt_at=timezone.now() + dt.timedelta(hours=3))
        mend(webhook, receiver)

        fall_due(Delivery.objects.order_by("pk")[3])
        drain(linger_s=1.0)

        assert states() == ["succeeded"] * 6
        assert EndpointHealth.objects.get().released_at is not None

    def test_in_the_order_of_its_age_however_it_was_due(
        self, world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(health_module, "RELEASE_STEP", 2)
        webhook = attached(world, receiver, "/unavailable", concurrency=1)
        take_calls(world, 8)
        drain()
        now = timezone.now()
        backlog = list(Delivery.objects.order_by("pk"))
        for place, each in enumerate(backlog):
            # The younger, the sooner.
            each.created_at = now - dt.timedelta(hours=9 - place)
            each.next_attempt_at = now + dt.timedelta(hours=9 - place)
        Delivery.objects.bulk_update(backlog, ["created_at", "next_attempt_at"])
        webhook.is_active = False
        webhook.save(update_fields=["is_active"])
        mend(webhook, receiver)
        switch_on(webhook)

        drain()

        assert [each.id for each in receiver.at("/ok")] == [each.public_id for each in backlog]

    def test_soon_after_another_time_it_is_put_off_and_not_forgotten(
        self, world: World, receiver: Receiver
    ) -> None:
        webhook = attached(world, receiver, "/unavailable")
        take_calls(world, 5)
        drain()
        just_now = timezone.now()
        EndpointHealth.objects.update(released_at=just_now)
        Delivery.objects.update(next_attempt_at=just_now + dt.timedelta(hours=3))
        mend(webhook, receiver)
        fall_due(Delivery.objects.earliest("pk"))
        drain(linger_s=0.5)
        assert states() == ["succeeded", *["pending"] * 4]
        assert EndpointHealth.objects.get().release_at == just_now + RELEASE_PAUSE

        EndpointHealth.objects.update(release_at=just_now)
        drain()

        assert states() == ["succeeded"] * 5

    def test_of_many_deliveries_is_released_bit_by_bit(
        self, world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(health_module, "RELEASE_STEP", 3)
        monkeypatch.setattr(health_module, "RELEASE_TURN_S", 0.0)
        for number in range(3):
            webhook = attached(world, receiver, f"/ok/{number}")
            switch_off(webhook, "Broken.")
        take_calls(world, 20)
        Delivery.objects.update(next_attempt_at=timezone.now() + dt.timedelta(hours=3))
        for webhook in Webhook.objects.all():
            switch_on(webhook)

        drain(linger_s=0.5)

        assert states() == ["succeeded"] * 60
        assert not EndpointHealth.objects.exclude(release_at=None).exists()

    def test_what_is_under_a_lease_is_left_alone(self, world: World, receiver: Receiver) -> None:
        webhook = attached(world, receiver, "/unavailable")
        take_calls(world, 5)
        drain()
        mend(webhook, receiver)
        leased, first, *_ = Delivery.objects.order_by("pk")
        far = timezone.now() + dt.timedelta(hours=3)
        Delivery.objects.update(next_attempt_at=far)
        Delivery.objects.filter(pk=leased.pk).update(claim=leased.pk, leased_until=far)
        fall_due(first)

        drain(linger_s=1.0)

        assert sorted(states()) == ["pending", *["succeeded"] * 4]
        assert Delivery.objects.get(pk=leased.pk).next_attempt_at == far

    def test_one_failure_releases_nothing(self, world: World, receiver: Receiver) -> None:
        webhook = attached(world, receiver, "/unavailable")
        take_calls(world, 1)
        drain()
        mend(webhook, receiver)
        take_calls(world, 1, prefix="later")

        drain(linger_s=0.5)

        assert states() == ["pending", "succeeded"]

    def test_so_does_switching_on(self, world: World, receiver: Receiver) -> None:
        webhook = attached(world, receiver, "/unavailable")
        take_calls(world, 12)
        drain()
        Delivery.objects.update(next_attempt_at=timezone.now() + dt.timedelta(hours=3))
        switch_off(webhook, "Broken.")
        mend(webhook, receiver)

        switch_on(webhook)
        drain()

        assert states() == ["succeeded"] * 12

    def test_by_a_tenant_too(self, world: World, receiver: Receiver) -> None:
        webhook = attached(world, receiver, "/ok")
        switch_off(webhook, "Broken.")
        account = ReachableAccount(world.account.pk, "Acme", False, Role.OWNER)

        with tenant_scope(Access(accounts={world.account.pk: account})):
            webhook.rate_limit = 30
            webhook.save(update_fields=["rate_limit"])
            switch_on(webhook)

        health = EndpointHealth.objects.get()
        assert health.release_at is not None
        assert health.rate_per_s == 30.0
