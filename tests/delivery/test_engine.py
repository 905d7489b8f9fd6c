"""The engine over a real database and a real receiver: what is sent, and what is kept of it."""

import datetime as dt
import json
import uuid

import pytest
from django.db import connection
from django.utils import timezone
from standardwebhooks.webhooks import Webhook as Verifier

from apps.calls.events import Timing
from apps.calls.models import Call
from apps.delivery.models import Attempt, Delivery
from apps.delivery.services import resend
from apps.webhooks.headers import MASK
from apps.webhooks.secrets import new_signing_secret
from apps.webhooks.services import save_template
from tests.builders import World, attach, event, make_webhook, switch_off, switch_on
from tests.common.processes import wait_until
from tests.delivery.receiver import Receiver
from tests.delivery.sending import drain, fall_due, running_drain, states, take, take_calls

pytestmark = pytest.mark.django_db(transaction=True)

HOSTILE = "\"}]<&>'\\ \n\t\u2028 %ani% {{7*7}} ]]></name> 🦊 \u202e é\u0301 \\u0000"


class TestADelivery:
    def test_arrives_with_the_rendered_body(self, world: World, receiver: Receiver) -> None:
        attach(make_webhook(world, receiver.url()))
        take(world, event(world, call_id="c1", caller={"full_name": "Ada Byron"}))

        tally = drain()

        assert tally.succeeded == 1
        (request,) = receiver.requests
        assert request.line == "POST /ok HTTP/1.1"
        assert request.headers["Content-Type"] == "application/json"
        assert json.loads(request.body) == {
            "call": "c1",
            "from": "5550001111",
            "name": "Ada Byron",
            "n": 7,
        }

    def test_arrives_as_xml_by_put(self, world: World, receiver: Receiver) -> None:
        attach(make_webhook(world, receiver.url(), template=world.xml, method="PUT"))
        take(world, event(world, call_id="c<1>", caller={"full_name": "Ada & Co"}))

        drain()

        (request,) = receiver.requests
        assert request.line == "PUT /ok HTTP/1.1"
        assert b'<lead id="c&lt;1&gt;"><name>Ada &amp; Co</name>' in request.body

    def test_is_signed_as_receivers_verify(self, world: World, receiver: Receiver) -> None:
        webhook = make_webhook(world, receiver.url())
        attach(webhook)
        take(world, event(world, caller={"full_name": HOSTILE}))

        drain()

        (request,) = receiver.requests
        Verifier(webhook.secret).verify(request.body.decode(), request.headers)
        assert request.id == Delivery.objects.get().public_id

    def test_carries_any_value_unharmed(self, world: World, receiver: Receiver) -> None:
        attach(make_webhook(world, receiver.url()))
        attach(make_webhook(world, receiver.url("/ok/xml"), template=world.xml))
        take(world, event(world, caller={"full_name": HOSTILE}))

        drain()

        assert states() == ["succeeded"] * 2
        assert json.loads(receiver.at("/ok")[0].body)["name"] == HOSTILE
        assert "%ani%" in receiver.at("/ok/xml")[0].body.decode()
        assert Attempt.objects.get(url=receiver.url()).request_body == (
            receiver.at("/ok")[0].body.decode()
        )

    def test_is_recorded_with_request_response_and_timings(
        self, world: World, receiver: Receiver
    ) -> None:
        attach(make_webhook(world, receiver.url("/created")))
        take(world, event(world))

        drain()

        delivery, attempt = Delivery.objects.get(), Attempt.objects.get()
        assert (delivery.state, delivery.attempt_count, delivery.last_status) == (
            "succeeded",
            1,
            201,
        )
        assert delivery.finished_at is not None
        assert delivery.next_attempt_at is None
        assert delivery.claim is None
        assert attempt.delivery == delivery
        assert attempt.account == world.account
        assert (attempt.number, attempt.method, attempt.url) == (
            1,
            "POST",
            receiver.url("/created"),
        )
        assert json.loads(attempt.request_body)["n"] == 7
        assert attempt.request_headers["webhook-id"] == delivery.public_id
        assert attempt.response_status == 201
        assert ["Content-Type", "application/json"] in attempt.response_headers
        assert attempt.response_body == "{}"
        assert (attempt.error_kind, attempt.error_message) == ("", "")
        assert attempt.total_ms >= (attempt.first_byte_ms or 0) > 0
        assert attempt.connect_ms is not None
        assert attempt.worker

    def test_sends_secret_headers_and_keeps_them_masked(
        self, world: World, receiver: Receiver
    ) -> None:
        headers = {"X-Api-Key": "s3cret-value", "Accept-Language": "en", "X-Call": "%callid%"}
        attach(make_webhook(world, receiver.url(), headers=headers))
        take(world, event(world, call_id="c9"))

        drain()

        (request,) = receiver.requests
        assert request.headers["X-Api-Key"] == "s3cret-value"
        assert request.headers["X-Call"] == "c9"
        attempt = Attempt.objects.get()
        assert attempt.request_headers["X-Api-Key"] == MASK
        assert attempt.request_headers["Accept-Language"] == "en"
        with connection.cursor() as cursor:
            cursor.execute("SELECT string_agg(t::text, ' ') FROM delivery_attempt t")
            assert "s3cret" not in cursor.fetchone()[0]
            cursor.execute("SELECT string_agg(t::text, ' ') FROM webhooks_webhookheader t")
            assert "s3cret" not in cursor.fetchone()[0]

    def test_lets_no_value_add_a_header(self, world: World, receiver: Receiver) -> None:
        attach(make_webhook(world, receiver.url(), headers={"X-Name": "%ani_full_name%"}))
        take(world, event(world, caller={"full_name": "Ada\r\nX-Admin: yes\r\n\r\nbody"}))

        drain()

        assert "X-Admin" not in receiver.requests[0].headers
        assert states() == ["succeeded"]

    def test_is_recorded_whatever_the_answer_contains(
        self, world: World, receiver: Receiver
    ) -> None:
        attach(make_webhook(world, receiver.url("/escapes")))
        take(world, event(world))

        drain()

        assert states() == ["succeeded"]
        attempt = Attempt.objects.get()
        assert ["X-Odd", '\\u0000" \\ud800'] in attempt.response_headers
        assert attempt.response_body == "ok\ufffd\ufffd"


class TestAWebhookThatIsOff:
    def test_keeps_its_deliveries_until_it_is_on(self, world: World, receiver: Receiver) -> None:
        webhook = make_webhook(world, receiver.url())
        attach(webhook)
        switch_off(webhook, "Broken.")
        take_calls(world, 3)
        assert drain().claimed == 0
        assert states() == ["pending"] * 3

        switch_on(webhook)
        drain()

        assert states() == ["succeeded"] * 3

    def test_may_belong_to_an_account_that_is_off(self, world: World, receiver: Receiver) -> None:
        attach(make_webhook(world, receiver.url()))
        take(world, event(world))
        world.account.is_active = False
        world.account.save()
        assert drain().claimed == 0

        world.account.is_active = True
        world.account.save()

        assert drain().succeeded == 1


class TestTheEnd:
    @pytest.fixture
    def call(self, world: World, receiver: Receiver) -> None:
        webhook = make_webhook(world, receiver.url("/unavailable-once"))
        attach(webhook, Timing.BEGIN)
        attach(webhook, Timing.END)
        take(
            world,
            event(world, occurred_at="2026-03-28T00:05:00Z"),
            event(world, type="call.ended", occurred_at="2026-03-28T00:06:00Z"),
        )

    @pytest.mark.usefixtures("call")
    def test_is_not_sent_before_the_begin(self, receiver: Receiver) -> None:
        begin, end = Delivery.objects.order_by("pk")
        assert (begin.timing, begin.state) == ("begin", "pending")
        assert (end.timing, end.state, end.next_attempt_at) == ("end", "waiting", None)

        drain()
        assert states() == ["pending", "waiting"]
        fall_due(begin)
        drain()

        assert [each.id for each in receiver.requests] == [
            begin.public_id,
            begin.public_id,
            end.public_id,
        ]
        assert states() == ["succeeded", "pending"]

    @pytest.mark.usefixtures("call")
    def test_is_sent_when_the_begin_has_failed_for_good(self, receiver: Receiver) -> None:
        begin, end = Delivery.objects.order_by("pk")
        Delivery.objects.filter(pk=begin.pk).update(attempt_count=12)

        drain()
        fall_due(end)
        drain()

        assert states() == ["failed", "succeeded"]
        assert [each.id for each in receiver.requests] == [
            begin.public_id,
            end.public_id,
            end.public_id,
        ]

    @pytest.mark.usefixtures("call")
    def test_of_one_call_holds_no_other_call_back(self, world: World, receiver: Receiver) -> None:
        drain()
        take(world, event(world, call_id="c2", type="call.ended"))

        drain()

        assert len(receiver.requests) == 2


class TestResend:
    def test_sends_the_same_version_under_a_new_id(self, world: World, receiver: Receiver) -> None:
        webhook = make_webhook(world, receiver.url())
        attach(webhook)
        take(world, event(world))
        drain()
        save_template(template=world.json, sample='{"new": "%ani%"}', by=None)
        first = Delivery.objects.get()

        (again,) = resend(deliveries=[first])
        drain()

        again.refresh_from_db()
        assert (again.state, again.resent_from) == ("succeeded", first)
        assert again.template_version == first.template_version
        one, two = receiver.requests
        assert one.body == two.body
        assert (one.id, two.id) == (first.public_id, again.public_id)
        Verifier(webhook.secret).verify(two.body.decode(), two.headers)


class TestAnEdit:
    def test_counts_from_the_next_delivery_of_a_running_drain(
        self, world: World, receiver: Receiver
    ) -> None:
        webhook = make_webhook(world, receiver.url("/ok/old"), headers={"X-Key": "old"})
        attach(webhook)
        with running_drain():
            take(world, event(world, call_id="c1"))
            wait_until(lambda: len(receiver.requests) == 1)

            webhook.url, webhook.secret = receiver.url("/ok/new"), new_signing_secret()
            webhook.save(update_fields=["url", "secret"])
            take(world, event(world, call_id="c2"))
            wait_until(lambda: len(receiver.requests) == 2)

            header = webhook.headers.get()
            header.value = "new"
            header.save()
            take(world, event(world, call_id="c3"))
            wait_until(lambda: len(receiver.requests) == 3)

            webhook.headers.all().delete()
            take(world, event(world, call_id="c4"))
            wait_until(lambda: len(receiver.requests) == 4)

        assert [each.path for each in receiver.requests] == ["/ok/old", *["/ok/new"] * 3]
        assert [each.headers.get("X-Key") for each in receiver.requests] == [
            "old",
            "old",
            "new",
            None,
        ]
        last = receiver.requests[-1]
        Verifier(webhook.secret).verify(last.body.decode(), last.headers)


class TestDeletingWhatIsUnderWay:
    @pytest.mark.parametrize("what", ["webhook", "call", "account"])
    def test_stops_no_other_delivery(self, world: World, receiver: Receiver, what: str) -> None:
        doomed = make_webhook(world, receiver.url("/gated/doomed"))
        kept = make_webhook(world, receiver.url("/gated/kept"))
        attach(doomed)
        attach(kept, location=world.location)
        take(world, event(world, call_id="c1"), event(world, call_id="c2"))
        with running_drain():
            wait_until(lambda: len(receiver.requests) == 4)
            with connection.cursor() as cursor:
                if what == "webhook":
                    # A webhook is kept while it has deliveries.
                    doomed.deliveries.all().delete()
                    doomed.delete()
                elif what == "call":
                    Call.objects.get(external_id="c1").delete()
                else:
                    cursor.execute("DELETE FROM delivery_delivery WHERE true")
            receiver.gate.set()
            wait_until(lambda: set(states()) <= {"succeeded"})
            take(world, event(world, call_id="c3"))
            wait_until(lambda: "pending" not in states())

        assert kept.deliveries.filter(call__external_id="c3", state="succeeded").exists()
        assert Attempt.objects.count() == Delivery.objects.count()


def updates_without_indexes() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_get_tuples_hot_updated('delivery_delivery'::regclass)")
        (count,) = cursor.fetchone()
    return int(count)


class TestALease:
    def test_is_in_no_index(self, world: World, receiver: Receiver) -> None:
        attach(make_webhook(world, receiver.url()))
        take_calls(world, 5)
        before = updates_without_indexes()

        drain()

        wait_until(lambda: updates_without_indexes() >= before + 5)

    def test_keeps_a_claimed_delivery_from_others_until_it_ends(
        self, world: World, receiver: Receiver
    ) -> None:
        attach(make_webhook(world, receiver.url()))
        take(world, event(world))
        # What a worker leaves behind that is killed.
        Delivery.objects.update(
            claim=uuid.uuid4(), leased_until=timezone.now() + dt.timedelta(seconds=90)
        )
        assert drain().claimed == 0

        fall_due(*Delivery.objects.all())

        assert drain().succeeded == 1

    def test_that_ran_out_leaves_the_delivery_to_the_next_holder(
        self, world: World, receiver: Receiver
    ) -> None:
        attach(make_webhook(world, receiver.url("/gated")))
        take(world, event(world))
        other = uuid.uuid4()
        with running_drain():
            wait_until(lambda: len(receiver.requests) == 1)
            Delivery.objects.update(
                claim=other, leased_until=timezone.now() + dt.timedelta(seconds=90)
            )
            receiver.gate.set()
            wait_until(Attempt.objects.exists)

        delivery = Delivery.objects.get()
        assert (delivery.state, delivery.claim) == ("pending", other)
