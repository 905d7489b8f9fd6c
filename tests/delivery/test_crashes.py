"""What the log says after a crash: enough to reconcile it with the receiver, request by request."""

from collections import Counter

import pytest
from django.conf import settings
from django.utils import timezone

from apps.common.embedded.redis_server import RedisServer
from apps.common.ids import new_id
from apps.delivery.engine.claims import LOST
from apps.delivery.models import Attempt, Delivery
from tests.builders import World, attach, make_webhook
from tests.common.processes import wait_until
from tests.delivery.receiver import Receiver
from tests.delivery.sending import (
    command,
    drain,
    fall_due,
    running_drain,
    states,
    take_calls,
    wait_until_sent,
)

pytestmark = pytest.mark.django_db(transaction=True)


class TestAClaimThatWasNeverRecorded:
    def test_leaves_a_try_that_says_so(self, world: World, receiver: Receiver) -> None:
        attach(make_webhook(world, receiver.url()))
        take_calls(world, 2)
        crashed, other = Delivery.objects.order_by("pk")
        Delivery.objects.filter(pk=crashed.pk).update(claim=new_id(), leased_until=timezone.now())

        drain()

        lost, sent = crashed.attempts.order_by("number")
        assert (lost.number, sent.number) == (1, 2)
        assert (lost.error_kind, lost.error_message) == ("lost", LOST)
        assert (lost.method, lost.url) == ("POST", receiver.url())
        assert lost.account == world.account
        assert lost.started_at < sent.started_at
        crashed.refresh_from_db()
        assert (crashed.state, crashed.attempt_count) == ("succeeded", 2)
        assert other.attempts.count() == 1

    def test_accounts_for_every_request_of_a_killed_worker(
        self, world: World, receiver: Receiver, redis_server: RedisServer
    ) -> None:
        attach(make_webhook(world, receiver.url("/gated")))
        take_calls(world, 3)
        with command("worker", settings.REDIS_URL) as process:
            wait_until(lambda: len(receiver.requests) == 3)
            process.kill()
            process.wait()
        receiver.gate.set()
        fall_due(*Delivery.objects.all())

        drain()

        assert states() == ["succeeded"] * 3
        assert Counter(each.id for each in receiver.requests) == Counter(
            each.delivery.public_id for each in Attempt.objects.select_related("delivery")
        )

    def test_is_not_one_that_was_given_back(self, world: World, receiver: Receiver) -> None:
        attach(make_webhook(world, receiver.url(), timeout_s=60))
        take_calls(world, 1)

        # No request may begin under a lease as short as this.
        drain(lease_s=10.0)

        assert Attempt.objects.count() == 0
        assert Delivery.objects.get().claim is None


class TestATry:
    def test_tells_how_often_it_went_on_the_wire(self, world: World, receiver: Receiver) -> None:
        # The second request on a kept connection ends it.
        attach(make_webhook(world, receiver.url("/ok-once")))
        with running_drain():
            take_calls(world, 1)
            wait_until_sent()
            take_calls(world, 1, prefix="later")
            wait_until_sent()

        assert list(Attempt.objects.order_by("pk").values_list("sends", flat=True)) == [1, 2]
        assert len(receiver.requests) == 3
