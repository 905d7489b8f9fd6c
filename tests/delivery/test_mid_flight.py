"""What changes while deliveries are under way, and what waits in a worker by then."""

from collections import Counter
from collections.abc import Callable
from itertools import groupby
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from apps.calls.events import Timing
from apps.delivery.engine.lanes import CONCURRENCY
from apps.delivery.models import Attempt, Delivery
from apps.webhooks.models import Webhook
from apps.webhooks.services import rotate_secret
from tests.builders import World, attach, event, make_webhook, switch_off, switch_on
from tests.common.processes import wait_until
from tests.delivery.agreement import assert_log_agrees
from tests.delivery.receiver import Receiver
from tests.delivery.sending import (
    drain,
    fall_due,
    running_drain,
    states,
    take,
    take_calls,
    wait_until_sent,
)

pytestmark = pytest.mark.django_db(transaction=True)


def given_back() -> int:
    return Delivery.objects.filter(state="pending", claim=None).count()


@pytest.fixture
def webhook(world: World, receiver: Receiver) -> Webhook:
    """A webhook with 40 deliveries, of which a worker can begin no more than 16."""
    webhook = make_webhook(world, receiver.url("/gated"))
    attach(webhook)
    take_calls(world, 40)
    return webhook


def suspend(webhook: Webhook) -> None:
    webhook.account.is_active = False
    webhook.account.save(update_fields=["is_active"])


class TestWhatAWorkerHolds:
    @pytest.mark.parametrize(
        "switched_off", [lambda webhook: switch_off(webhook, "Broken."), suspend]
    )
    def test_waits_when_its_webhook_or_account_is_switched_off(
        self, receiver: Receiver, webhook: Webhook, switched_off: Callable[[Webhook], None]
    ) -> None:
        with running_drain():
            wait_until(lambda: len(receiver.requests) == CONCURRENCY)
            switched_off(webhook)
            wait_until(lambda: given_back() == 40 - CONCURRENCY)
            receiver.gate.set()
            wait_until(lambda: states().count("succeeded") == CONCURRENCY)
            webhook.account.is_active = True
            webhook.account.save(update_fields=["is_active"])
            switch_on(webhook)
            wait_until_sent()

        assert len(receiver.requests) == Attempt.objects.count() == 40
        assert_log_agrees(receiver)

    def test_goes_to_the_new_address_under_the_new_secret(
        self, receiver: Receiver, webhook: Webhook
    ) -> None:
        with running_drain() as running:
            wait_until(lambda: len(receiver.requests) == CONCURRENCY)
            rotate_secret(webhook=webhook)
            webhook.refresh_from_db()
            webhook.url = receiver.url("/ok/new")
            webhook.save(update_fields=["url"])
            webhook.refresh_from_db()
            known = running._cache.endpoints
            wait_until(lambda: known[webhook.pk].revision == webhook.revision)
            receiver.gate.set()
            wait_until_sent()

        moved = receiver.at("/ok/new")
        assert len(moved) == 40 - CONCURRENCY
        for request in moved:
            Verifier(webhook.secret).verify(request.body.decode(), request.headers)
        assert_log_agrees(receiver)

    def test_does_not_fail_with_the_one_that_was_told_gone(
        self, world: World, receiver: Receiver
    ) -> None:
        webhook = make_webhook(world, receiver.url("/gone"), concurrency=1)
        attach(webhook)
        take_calls(world, 40)

        drain()

        assert Counter(states()) == {"failed": 1, "pending": 39}
        assert len(receiver.requests) == 1
        webhook.refresh_from_db()
        assert not webhook.is_active


class TestManyAtOnce:
    def test_keep_their_ids_on_every_try(self, world: World, receiver: Receiver) -> None:
        for number in range(10):
            attach(make_webhook(world, receiver.url(f"/unavailable-once/{number}")))
        take_calls(world, 3)

        drain()
        fall_due(*Delivery.objects.all())
        drain()

        tries = Counter(each.id for each in receiver.requests)
        assert tries == {each.public_id: 2 for each in Delivery.objects.all()}
        assert len(tries) == 30
        assert_log_agrees(receiver)

    def test_keep_the_order_of_each_call_through_their_retries(
        self, world: World, receiver: Receiver
    ) -> None:
        for number in range(6):
            url = receiver.url(f"/unavailable-once/{number}")
            # A try that takes a busy machine long is no failure.
            webhook = make_webhook(world, url, retry_waits_s=[1, 1], timeout_s=60)
            for timing in Timing:
                attach(webhook, timing)
        types = ("call.started", "call.updated", "call.ended")
        # So few that no breaker opens: six failures are never 70% of ten tries, even where a worker
        # has not told of its successes yet.
        for number in range(2):
            take(
                world,
                *(
                    event(
                        world,
                        type=kind,
                        call_id=f"c{number}",
                        occurred_at=f"2026-03-28T00:0{minute}:00Z",
                    )
                    for minute, kind in enumerate(types)
                ),
            )
        lines: dict[tuple[UUID, UUID], list[str]] = {}
        for each in Delivery.objects.order_by("pk"):
            lines.setdefault((each.call_id, each.webhook_id), []).append(each.public_id)
        assert len(lines) == 12

        with running_drain(), running_drain():
            wait_until_sent()

        assert set(states()) == {"succeeded"}
        for ids in lines.values():
            assert len(ids) >= 2
            told = [request.id for request in receiver.requests if request.id in ids]
            assert [key for key, _ in groupby(told)] == ids
            assert set(Counter(told).values()) == {2}
        assert_log_agrees(receiver)
