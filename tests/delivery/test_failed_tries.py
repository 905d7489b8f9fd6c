"""Tries that fail: when they are made again, and what can not be tried at all."""

import datetime as dt
import json
import socket

import pytest
from django.db import connection
from django.utils import timezone

from apps.delivery.models import Attempt, Delivery
from apps.webhooks.models import WebhookHeader
from tests.builders import World, attach, event, lose_key, make_template, make_webhook
from tests.delivery.receiver import Receiver
from tests.delivery.sending import drain, fall_due, states, take

pytestmark = pytest.mark.django_db(transaction=True)


class TestAFailedTry:
    def test_is_made_again_after_about_five_seconds(self, world: World, receiver: Receiver) -> None:
        attach(make_webhook(world, receiver.url("/unavailable")))
        take(world, event(world))

        before = timezone.now()
        drain()
        after = timezone.now()

        delivery, attempt = Delivery.objects.get(), Attempt.objects.get()
        assert (delivery.state, delivery.attempt_count) == ("pending", 1)
        assert (delivery.last_status, delivery.last_error) == (503, "Answered 503.")
        assert delivery.next_attempt_at is not None
        assert delivery.next_attempt_at >= before + dt.timedelta(seconds=4.5)
        assert delivery.next_attempt_at <= after + dt.timedelta(seconds=5.5)
        assert (attempt.error_kind, attempt.response_body) == ("http", "later")

    def test_keeps_its_id_and_body_on_the_next_one(self, world: World, receiver: Receiver) -> None:
        attach(make_webhook(world, receiver.url("/unavailable-once")))
        take(world, event(world))

        drain()
        fall_due(*Delivery.objects.all())
        drain()

        assert states() == ["succeeded"]
        first, second = receiver.requests
        assert (first.id, first.body) == (second.id, second.body)
        assert list(Attempt.objects.values_list("number", flat=True)) == [1, 2]

    def test_is_counted_in_what_the_next_one_sends(self, world: World, receiver: Receiver) -> None:
        sample = '{"id": "%delivery_id%", "try": "%attempt%", "request": "%request_id%"}'
        template = make_template(world.account, "Counting", sample)
        webhook = make_webhook(world, receiver.url("/unavailable-once"), template=template)
        WebhookHeader.objects.create(
            account=world.account, webhook=webhook, name="X-Try", value="%attempt% at %sent_at%"
        )
        attach(webhook)
        take(world, event(world))

        drain()
        fall_due(*Delivery.objects.all())
        drain()

        first, second = (json.loads(request.body) for request in receiver.requests)
        assert (first["try"], second["try"]) == ("1", "2")
        assert first["id"] == second["id"] == Delivery.objects.get().pk.hex
        assert first["request"] != second["request"]
        assert [each.headers["X-Try"][:4] for each in receiver.requests] == ["1 at", "2 at"]

    @pytest.mark.parametrize(
        ("path", "tries_before"), [("/unavailable", 12), ("/unprocessable", 5), ("/redirect", 12)]
    )
    def test_is_the_last_when_the_schedule_is_used_up(
        self, world: World, receiver: Receiver, path: str, tries_before: int
    ) -> None:
        attach(make_webhook(world, receiver.url(path)))
        take(world, event(world))
        Delivery.objects.update(attempt_count=tries_before)

        assert drain().failed == 1

        delivery = Delivery.objects.get()
        assert (delivery.state, delivery.attempt_count) == ("failed", tries_before + 1)
        assert delivery.next_attempt_at is None
        assert delivery.finished_at is not None
        assert delivery.last_error.endswith("No tries are left.")

    def test_says_where_it_was_sent_on_to_and_is_not_followed(
        self, world: World, receiver: Receiver
    ) -> None:
        attach(make_webhook(world, receiver.url("/redirect")))
        take(world, event(world))

        drain()

        assert states() == ["pending"]
        attempt = Attempt.objects.get()
        assert (attempt.response_status, attempt.error_kind) == (302, "http")
        assert "http://10.0.0.1/" in attempt.error_message
        assert ["Location", "http://10.0.0.1/"] in attempt.response_headers
        assert len(receiver.requests) == 1

    def test_waits_for_as_long_as_the_receiver_asks(self, world: World, receiver: Receiver) -> None:
        attach(make_webhook(world, receiver.url("/busy")))
        take(world, event(world))

        before = timezone.now()
        drain()

        due_at = Delivery.objects.get().next_attempt_at
        assert due_at is not None
        # Later than any jitter of the schedule: 7 seconds instead of 5.
        assert due_at >= before + dt.timedelta(seconds=7)

    def test_that_says_gone_disables_the_webhook(self, world: World, receiver: Receiver) -> None:
        webhook = make_webhook(world, receiver.url("/gone"))
        other = make_webhook(world, receiver.url())
        attach(webhook)
        attach(other)
        take(world, event(world, call_id="c1"))
        drain()
        take(world, event(world, call_id="c2"))

        drain()

        webhook.refresh_from_db()
        assert not webhook.is_active
        assert webhook.disabled_reason == "The receiver answered 410 Gone."
        assert sorted(webhook.deliveries.values_list("state", flat=True)) == ["failed", "pending"]
        assert list(other.deliveries.values_list("state", flat=True)) == ["succeeded"] * 2
        assert len(receiver.at("/gone")) == 1

    def test_is_made_again_when_nobody_listens(self, world: World) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            attach(make_webhook(world, f"http://127.0.0.1:{closed.getsockname()[1]}/"))
        take(world, event(world))

        drain()

        assert states() == ["pending"]
        assert Attempt.objects.get().error_kind == "refused"

    def test_is_made_again_when_the_receiver_hangs(self, world: World, receiver: Receiver) -> None:
        attach(make_webhook(world, receiver.url("/hang"), timeout_s=1))
        take(world, event(world))

        drain()

        assert states() == ["pending"]
        assert Attempt.objects.get().error_kind == "timeout"

    def test_to_a_private_address_is_blocked(self, world: World) -> None:
        attach(make_webhook(world, "http://10.0.0.1/"))
        take(world, event(world))

        drain()

        assert Attempt.objects.get().error_kind == "blocked"


class TestAWebhookThatCanNotBeUsed:
    def test_stops_no_other(self, world: World, receiver: Receiver) -> None:
        broken, good = make_webhook(world, receiver.url()), make_webhook(world, receiver.url())
        attach(broken)
        attach(good)
        secret = broken.secret
        lose_key(broken)
        take(world, event(world))

        drain()

        assert good.deliveries.get().state == "succeeded"
        delivery = broken.deliveries.get()
        assert (delivery.state, delivery.last_error) == (
            "pending",
            "The webhook's settings can not be read.",
        )
        assert delivery.attempts.get().error_kind == "settings"
        # It waits for whoever mends it, and none of its tries is gone.
        assert delivery.attempt_count == 0
        assert delivery.next_attempt_at > timezone.now() + dt.timedelta(minutes=50)

        broken.secret = secret
        broken.save(update_fields=["secret"])
        fall_due(delivery)
        drain()

        assert states() == ["succeeded"] * 2

    def test_may_have_an_unreadable_header(self, world: World, receiver: Receiver) -> None:
        broken, good = make_webhook(world, receiver.url()), make_webhook(world, receiver.url())
        attach(broken)
        attach(good)
        header = WebhookHeader.objects.create(
            account=world.account, webhook=broken, name="X-Key", value="k"
        )
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE webhooks_webhookheader SET value = 'garbage' WHERE id = %s", [header.pk]
            )
        take(world, event(world))

        drain()

        assert good.deliveries.get().state == "succeeded"
        assert broken.deliveries.get().state == "pending"
