"""Deliveries that are lost with their worker: what that costs them, and when they are given up."""

import datetime as dt
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.utils import timezone

from apps.calls.events import Timing
from apps.common.access import Role
from apps.common.ids import new_id
from apps.delivery.alerts import send_alerts, watch_endpoints
from apps.delivery.engine.claims import LOST
from apps.delivery.models import Alert, Delivery, DeliveryState, EndpointHealth
from apps.delivery.retry import LOST_TOO_OFTEN, MOST_LOST
from apps.delivery.services import resend
from apps.webhooks.models import Webhook
from tests.builders import World, attach, event, make_webhook
from tests.conftest import LogIn
from tests.delivery.receiver import Receiver
from tests.delivery.sending import drain, fall_due, states, take, take_calls

pytestmark = pytest.mark.django_db(transaction=True)


def lose(times: int) -> Delivery:
    """Leave what is pending claimed by a worker that died; it was lost so often with this one."""
    Delivery.objects.filter(state=DeliveryState.PENDING).update(
        claim=new_id(),
        leased_until=timezone.now(),
        next_attempt_at=timezone.now(),
        lost_count=times - 1,
    )
    return Delivery.objects.latest("pk")


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


class TestADeliveryThatIsGivenUp:
    @pytest.fixture
    def webhook(self, world: World, receiver: Receiver) -> Webhook:
        webhook = make_webhook(world, receiver.url())
        attach(webhook)
        return webhook

    @staticmethod
    def tell() -> list[EmailMessage]:
        """Return what the next looks of the sweep send."""
        mail.outbox.clear()
        for _ in range(2):
            watch_endpoints()
            send_alerts()
        return mail.outbox

    def test_is_told_of_once_for_all_of_a_day(self, world: World, webhook: Webhook) -> None:
        take_calls(world, 3)
        lose(MOST_LOST)
        drain()

        (message,) = self.tell()
        assert message.subject == f"“{webhook.name}”: not everything was sent"

        take_calls(world, 1, "later")
        lose(MOST_LOST)
        drain()
        assert self.tell() == []

        Alert.objects.update(created_at=timezone.now() - dt.timedelta(days=1, minutes=1))
        take_calls(world, 1, "next day")
        lose(MOST_LOST)
        drain()
        assert len(self.tell()) == 1

    def test_is_told_of_with_how_many_and_since_when(self, world: World, webhook: Webhook) -> None:
        take_calls(world, 1, "one that arrives")
        drain()
        take_calls(world, 3)
        lose(MOST_LOST)
        drain()

        (message,) = self.tell()
        first = Delivery.objects.filter(state=DeliveryState.FAILED).earliest("pk")
        assert "Deliveries given up: 3\n" in str(message.body)
        assert f"First planned at: {first.created_at:%Y-%m-%d %H:%M} UTC\n" in str(message.body)
        assert "Failing since" not in str(message.body)

    def test_is_told_of_with_a_link_to_what_was_given_up(
        self, world: World, webhook: Webhook, receiver: Receiver, log_in: LogIn
    ) -> None:
        other = make_webhook(world, receiver.url("/ok/other"), name="Other")
        attach(other)
        take_calls(world, 2)
        lose(MOST_LOST)
        drain()
        take_calls(world, 1, "refused")
        Delivery.objects.filter(lost_count=0).update(state=DeliveryState.FAILED)

        mails = list(self.tell())
        take_calls(world, 1, "later")
        lose(MOST_LOST)
        drain()

        browser = log_in(account=world.account, role=Role.ADMIN)
        shown = {}
        for message in mails:
            link = urlsplit(str(message.body).splitlines()[-1])
            page = browser.get(f"{link.path}?{link.query}")
            shown[message.subject] = [
                (each.webhook.name, each.lost_count) for each in page.context["cl"].result_list
            ]
        assert shown == {
            f"“{each.name}”: not everything was sent": [(each.name, MOST_LOST)] * 2
            for each in (webhook, other)
        }

    def test_is_told_of_once_by_two_workers(self, world: World, webhook: Webhook) -> None:
        take_calls(world, 2)
        lose(MOST_LOST)
        drain()
        told = Alert.objects.get()
        of_other = Alert.objects.create(
            account=world.account,
            webhook=webhook,
            rung=told.rung,
            failing_since=told.failing_since - dt.timedelta(seconds=1),
        )

        assert len(self.tell()) == 1
        assert Alert.objects.get() == of_other
        Alert.objects.create(
            account=world.account,
            webhook=webhook,
            rung=told.rung,
            failing_since=told.failing_since - dt.timedelta(seconds=2),
        )
        assert self.tell() == []
        assert Alert.objects.get() == of_other

    def test_hides_no_recovery_and_has_none(self, world: World, webhook: Webhook) -> None:
        now = timezone.now()
        EndpointHealth.objects.update(
            failing_since=now - dt.timedelta(hours=1), last_failure_at=now, failures_in_row=9
        )
        assert [each.subject for each in self.tell()] == [f"“{webhook.name}” is failing"]
        take_calls(world, 1)
        lose(MOST_LOST)
        drain()
        take_calls(world, 1, "later")
        drain()

        subjects = [each.subject for each in self.tell()]
        assert sorted(subjects) == [
            f"“{webhook.name}” works again",
            f"“{webhook.name}”: not everything was sent",
        ]
        assert self.tell() == []
