"""Deliveries that are lost with their worker: what that costs them, and when they are given up."""

import datetime as dt

import pytest
from django.utils import timezone

from apps.calls.events import Timing
from apps.common.ids import new_id
from apps.delivery.engine.claims import LOST
from apps.delivery.models import Delivery
from apps.delivery.retry import LOST_TOO_OFTEN, MOST_LOST
from apps.delivery.services import resend
from tests.builders import World, attach, event, make_webhook
from tests.delivery.receiver import Receiver
from tests.delivery.sending import drain, fall_due, states, take, take_calls

pytestmark = pytest.mark.django_db(transaction=True)


def lose(times: int) -> Delivery:
    """Leave the only delivery claimed by a worker that died; it was lost so often with this one."""
    Delivery.objects.update(
        claim=new_id(),
        leased_until=timezone.now(),
        next_attempt_at=timezone.now(),
        lost_count=times - 1,
    )
    return Delivery.objects.get()


class TestATryThatIsLost:
    def test_is_none_of_the_schedule(self, world: World, receiver: Receiver) -> None:
        attach(make_webhook(world, receiver.url("/unavailable")))
        take_calls(world, 1)
        lose(1)
        Delivery.objects.update(attempt_count=11)

        drain()

        delivery = Delivery.objects.get()
        assert (delivery.state, delivery.attempt_count, delivery.lost_count) == ("pending", 13, 1)
        assert list(delivery.attempts.values_list("number", "error_kind")) == [
            (12, "lost"),
            (13, "http"),
        ]
        fall_due(delivery)
        drain()
        assert states() == ["failed"]

    def test_is_made_again_at_once_the_first_time(self, world: World, receiver: Receiver) -> None:
        attach(make_webhook(world, receiver.url()))
        take_calls(world, 1)
        lose(1)

        drain()

        assert states() == ["succeeded"]
        assert len(receiver.requests) == 1

    def test_rests_when_it_happens_again(self, world: World, receiver: Receiver) -> None:
        attach(make_webhook(world, receiver.url()))
        take_calls(world, 1)
        lost = lose(4)

        before = timezone.now()
        drain()

        delivery = Delivery.objects.get()
        assert (delivery.state, delivery.claim, delivery.leased_until) == ("pending", None, None)
        assert delivery.next_attempt_at is not None
        rest = delivery.next_attempt_at - before
        assert dt.timedelta(seconds=16) <= rest <= dt.timedelta(seconds=90)
        assert delivery.attempts.get().error_message == LOST
        assert receiver.requests == []

        fall_due(delivery)
        drain()
        assert states() == ["succeeded"]
        assert [each.id for each in receiver.requests] == [lost.public_id]

    @pytest.mark.parametrize("times", range(4, MOST_LOST))
    def test_rests_longer_each_time(self, world: World, receiver: Receiver, times: int) -> None:
        attach(make_webhook(world, receiver.url()))
        take_calls(world, 1)
        lose(times)

        before = timezone.now()
        drain()

        delivery = Delivery.objects.get()
        assert (delivery.state, delivery.lost_count) == ("pending", times)
        assert delivery.next_attempt_at is not None
        longest_s = min(86_400, 4 ** (times - 1))
        assert delivery.next_attempt_at - before >= dt.timedelta(seconds=longest_s / 4)

    def test_is_the_last_after_too_many(self, world: World, receiver: Receiver) -> None:
        attach(make_webhook(world, receiver.url()))
        take_calls(world, 1)
        lost = lose(MOST_LOST)

        drain()

        lost.refresh_from_db()
        assert (lost.state, lost.last_error, lost.claim) == ("failed", LOST_TOO_OFTEN, None)
        assert lost.finished_at is not None
        attempts = lost.attempts.order_by("number").values_list("error_kind", "sends")
        assert list(attempts) == [("lost", 1), ("lost", 0)]
        assert receiver.requests == []

        (again,) = resend(deliveries=[lost])
        drain()
        again.refresh_from_db()
        assert (again.state, again.lost_count) == ("succeeded", 0)

    def test_lets_go_what_waited_for_it(self, world: World, receiver: Receiver) -> None:
        webhook = make_webhook(world, receiver.url())
        attach(webhook)
        attach(webhook, Timing.END)
        take(world, event(world), event(world, type="call.ended"))
        begin, end = Delivery.objects.order_by("pk")
        Delivery.objects.filter(pk=begin.pk).update(
            claim=new_id(), leased_until=timezone.now(), lost_count=MOST_LOST - 1
        )

        drain()

        assert states() == ["failed", "succeeded"]
        assert [each.id for each in receiver.requests] == [end.public_id]
