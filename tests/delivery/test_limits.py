"""What a webhook or an attachment chooses for its deliveries: schedule, text, limits, lateness."""

import datetime as dt
import time
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from apps.calls.events import Timing
from apps.common.ids import new_id
from apps.delivery.engine import judging, senders
from apps.delivery.engine.claims import MOST_GATES
from apps.delivery.models import Attempt, Delivery, EndpointHealth
from apps.delivery.services import resend
from apps.delivery.sweep import Sweep
from apps.webhooks.models import Webhook
from tests.builders import World, attach, event, make_webhook, switch_off
from tests.common.processes import wait_until
from tests.delivery.receiver import Receiver
from tests.delivery.sending import (
    drain,
    running_drain,
    states,
    take,
    take_calls,
    wait_until_sent,
)

pytestmark = pytest.mark.django_db(transaction=True)


def attached(world: World, receiver: Receiver, path: str = "/ok", **fields: Any) -> Webhook:
    webhook = make_webhook(world, receiver.url(path), **fields)
    attach(webhook)
    return webhook


class TestASchedule:
    def test_of_its_own_is_kept(self, world: World, receiver: Receiver) -> None:
        attached(world, receiver, "/unavailable", retry_waits_s=[600])
        take_calls(world, 1)

        drain()

        due_at = Delivery.objects.get().next_attempt_at
        assert due_at is not None
        assert dt.timedelta(seconds=530) < due_at - timezone.now() < dt.timedelta(seconds=661)

    def test_may_be_one_try_only(self, world: World, receiver: Receiver) -> None:
        attached(world, receiver, "/unavailable", retry_waits_s=[])
        take_calls(world, 1)

        assert drain().failed == 1


class TestATextInTheAnswer:
    @pytest.mark.parametrize(("text", "state"), [("ok", "succeeded"), ("stored", "pending")])
    def test_decides(self, world: World, receiver: Receiver, text: str, state: str) -> None:
        attached(world, receiver, body_contains=text)
        take_calls(world, 1)

        drain()

        assert states() == [state]


class TestARate:
    def test_is_kept_by_all_workers_together(self, world: World, receiver: Receiver) -> None:
        attached(world, receiver, rate_limit=20)
        take_calls(world, 40)

        began = time.monotonic()
        with running_drain(), running_drain():
            wait_until_sent()
        took_s = time.monotonic() - began

        # 5 are let through at once, the other 35 come at 20 a second.
        assert took_s > 35 / 20 * 0.9
        assert len(receiver.requests) == Attempt.objects.count() == 40

    def test_holds_no_other_webhook_back(self, world: World, receiver: Receiver) -> None:
        attached(world, receiver, rate_limit=1, rate_unit="minute")
        attached(world, receiver, "/ok/free")
        take_calls(world, 10)

        drain()

        assert len(receiver.at("/ok")) == 1
        assert len(receiver.at("/ok/free")) == 10
        assert Delivery.objects.filter(state="pending", attempt_count=0, claim=None).count() == 9

    def test_follows_its_webhook(self, world: World, receiver: Receiver) -> None:
        webhook = attached(world, receiver, rate_limit=30, rate_unit="minute")
        assert EndpointHealth.objects.get().rate_per_s == 0.5
        webhook.rate_limit = None
        webhook.save(update_fields=["rate_limit"])
        assert EndpointHealth.objects.get().rate_per_s is None
        take_calls(world, 10)

        assert drain().succeeded == 10


class TestConcurrency:
    @pytest.mark.parametrize("most", [1, 3, 40])
    def test_is_never_more(self, world: World, receiver: Receiver, most: int) -> None:
        attached(world, receiver, "/gated-then-slow", concurrency=most, timeout_s=60)
        take_calls(world, 60)

        with running_drain():
            wait_until(lambda: len(receiver.requests) == most)
            receiver.gate.set()
            wait_until_sent()

        assert receiver.most_busy["/gated-then-slow"] == most

    def test_is_kept_by_all_workers_together(self, world: World, receiver: Receiver) -> None:
        attached(world, receiver, "/gated-then-slow", concurrency=3, timeout_s=60)
        attached(world, receiver, "/slow/free")
        take_calls(world, 60)

        with running_drain(), running_drain(), running_drain():
            wait_until(lambda: len(receiver.at("/gated-then-slow")) == 3)
            receiver.gate.set()
            wait_until_sent()

        assert receiver.most_busy["/gated-then-slow"] == 3
        assert len(receiver.requests) == Attempt.objects.count() == 120

    def test_goes_over_to_others_when_a_worker_has_nothing_left(
        self, world: World, receiver: Receiver
    ) -> None:
        attached(world, receiver, "/slow", concurrency=3)
        with running_drain():
            take_calls(world, 4)
            wait_until_sent()
            wait_until(lambda: EndpointHealth.objects.get().holder is None)
            take_calls(world, 4, prefix="later")
            # Whoever comes first.
            drain()
            wait_until_sent()

        assert receiver.most_busy["/slow"] <= 3
        assert len(receiver.requests) == 8

    def test_goes_over_to_others_when_a_worker_stops(
        self, world: World, receiver: Receiver
    ) -> None:
        attached(world, receiver, "/gated", concurrency=3)
        take_calls(world, 30)
        with running_drain() as stopped:
            wait_until(lambda: len(receiver.requests) == 3)
            assert drain().claimed == 0
            stopped.stop()
            receiver.gate.set()

        assert drain().succeeded == 27
        assert receiver.most_busy["/gated"] == 3

    def test_waits_for_the_lease_of_a_worker_that_died(
        self, world: World, receiver: Receiver
    ) -> None:
        attached(world, receiver, concurrency=3)
        take_calls(world, 4)
        in_a_minute = timezone.now() + dt.timedelta(minutes=1)
        EndpointHealth.objects.update(holder=new_id(), held_until=in_a_minute)
        assert drain().claimed == 0

        EndpointHealth.objects.update(held_until=timezone.now())

        assert drain().succeeded == 4

    def test_follows_its_webhook(self, world: World, receiver: Receiver) -> None:
        webhook = attached(world, receiver, concurrency=3)
        assert EndpointHealth.objects.get().concurrency == 3
        webhook.concurrency = None
        webhook.save(update_fields=["concurrency"])
        assert EndpointHealth.objects.get().concurrency is None

    def test_serves_more_webhooks_than_one_claim_does(
        self, world: World, receiver: Receiver
    ) -> None:
        for number in range(MOST_GATES + 6):
            attached(world, receiver, f"/ok/{number}", concurrency=1)
        take_calls(world, 3)

        assert drain().succeeded == 3 * (MOST_GATES + 6)

    def test_holds_together_with_a_rate(self, world: World, receiver: Receiver) -> None:
        attached(world, receiver, "/slow", concurrency=2, rate_limit=100)
        take_calls(world, 40)

        with running_drain(), running_drain():
            wait_until_sent()

        assert receiver.most_busy["/slow"] <= 2
        assert len(receiver.requests) == 40


class TestWhatIsTooLate:
    @pytest.fixture
    def webhook(self, world: World, receiver: Receiver) -> Webhook:
        webhook = make_webhook(world, receiver.url())
        for timing in (Timing.BEGIN, Timing.END):
            attachment = attach(webhook, timing)
            attachment.not_later_than_min = 5 if timing == Timing.BEGIN else None
            attachment.save()
        take(
            world,
            event(world, occurred_at="2026-03-28T00:05:00Z"),
            event(world, type="call.ended", occurred_at="2026-03-28T00:06:00Z"),
        )
        return webhook

    @staticmethod
    def pass_by() -> None:
        Delivery.objects.filter(expires_at__isnull=False).update(expires_at=timezone.now())

    @pytest.mark.usefixtures("webhook")
    def test_says_when(self) -> None:
        begin, end = Delivery.objects.order_by("pk")
        assert begin.expires_at is not None
        lasts = begin.expires_at - begin.created_at
        assert abs(lasts - dt.timedelta(minutes=5)) < dt.timedelta(seconds=5)
        assert end.expires_at is None

    @pytest.mark.usefixtures("webhook")
    def test_ends_as_expired_and_frees_what_waits(self, receiver: Receiver) -> None:
        self.pass_by()

        drain(linger_s=0.5)

        begin, end = Delivery.objects.order_by("pk")
        assert (begin.state, end.state) == ("expired", "succeeded")
        assert begin.finished_at is not None
        assert begin.last_error.startswith("Expired")
        assert [each.id for each in receiver.requests] == [end.public_id]

    def test_ends_while_its_webhook_is_off(self, webhook: Webhook) -> None:
        switch_off(webhook, "Broken.")
        self.pass_by()

        Sweep().run_once()

        assert states() == ["expired", "pending"]

    @pytest.mark.usefixtures("webhook")
    def test_is_left_alone_while_it_is_being_sent(self) -> None:
        self.pass_by()
        Delivery.objects.filter(state="pending").update(
            claim="00000000-0000-0000-0000-000000000001",
            leased_until=timezone.now() + dt.timedelta(minutes=1),
        )

        Sweep().run_once()

        assert states() == ["pending", "waiting"]

    @pytest.mark.usefixtures("webhook")
    def test_is_told_by_the_clock_of_the_database_alone(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # The worker's machine is a day ahead.
        ahead = SimpleNamespace(now=lambda zone: dt.datetime.now(zone) + dt.timedelta(days=1))
        for module in (senders, judging):
            monkeypatch.setattr(module, "dt", SimpleNamespace(datetime=ahead, UTC=dt.UTC))

        drain(linger_s=0.5)

        assert states() == ["succeeded", "succeeded"]

    @pytest.mark.usefixtures("webhook")
    def test_may_be_sent_again(self) -> None:
        self.pass_by()
        drain()

        (again,) = resend(deliveries=[Delivery.objects.get(state="expired")])

        assert again.expires_at is None
        assert drain().succeeded == 1
