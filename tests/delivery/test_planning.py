"""Planning: what becomes a delivery, which wait, and that a resend is one of its own."""

from typing import Any

import pytest
from django.db import connection
from django.db.models import RestrictedError
from django.test.utils import CaptureQueriesContext

from apps.accounts.access import access_of_key
from apps.calls.events import Timing
from apps.campaigns.models import Attachment
from apps.common.tenancy import tenant_scope
from apps.delivery.models import Delivery, DeliveryState
from apps.delivery.services import resend
from apps.webhooks.models import Webhook
from apps.webhooks.services import save_template
from tests.builders import World, attach, event, make_webhook
from tests.delivery.sending import states, take, take_calls
from tests.factories import DeliveryFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def webhook(world: World) -> Webhook:
    """A webhook that hears of begin, end and updates."""
    webhook = make_webhook(world, "http://127.0.0.1/")
    for timing in Timing:
        attach(webhook, timing)
    return webhook


def at(second: int, kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "occurred_at": f"2026-03-28T00:05:0{second}Z", **fields}


@pytest.mark.usefixtures("webhook")
class TestADelivery:
    def test_pins_the_template_version_of_its_moment(self, world: World) -> None:
        first = world.json.current_version
        take(world, event(world))

        save_template(template=world.json, sample='{"new": "%ani%"}', by=None)
        take(world, event(world, call_id="c2"))

        versions = [each.template_version for each in Delivery.objects.order_by("pk")]
        assert versions == [first, world.json.current_version]
        assert versions[0] != versions[1]

    def test_sends_the_template_of_its_attachment(self, world: World) -> None:
        Attachment.objects.filter(timing=Timing.END).update(own_template=world.xml)
        take(world, event(world, **at(0, "call.started")), event(world, **at(1, "call.ended")))

        sent = [each.template_version for each in Delivery.objects.order_by("pk")]
        assert sent == [world.json.current_version, world.xml.current_version]

    def test_waits_for_an_earlier_one_of_its_call_and_webhook(self, world: World) -> None:
        take(world, event(world, **at(0, "call.started")))
        take(world, event(world, **at(1, "call.ended")), event(world, **at(2, "call.updated")))

        assert states() == ["pending", "waiting", "waiting"]
        due = Delivery.objects.order_by("pk").values_list("next_attempt_at", flat=True)
        assert [moment is None for moment in due] == [False, True, True]

    def test_waits_in_the_order_in_which_things_happened(self, world: World) -> None:
        take(
            world,
            event(world, **at(3, "call.updated")),
            event(world, **at(1, "call.ended")),
            event(world, **at(0, "call.started")),
        )

        deliveries = Delivery.objects.order_by("pk")
        assert [each.timing for each in deliveries] == ["begin", "end", "updated"]
        assert states() == ["pending", "waiting", "waiting"]

    def test_waits_for_no_finished_one(self, world: World) -> None:
        take(world, event(world, **at(0, "call.started")))
        Delivery.objects.update(state=DeliveryState.FAILED)

        take(world, event(world, **at(1, "call.ended")))

        assert states() == ["failed", "pending"]

    def test_waits_for_no_other_call(self, world: World) -> None:
        take(world, event(world, call_id="c1"), event(world, call_id="c2"))

        assert states() == ["pending", "pending"]

    def test_waits_for_no_other_webhook(self, world: World) -> None:
        attach(make_webhook(world, "http://127.0.0.1/"), Timing.END)
        take(world, event(world, **at(0, "call.started")))
        take(world, event(world, **at(1, "call.ended")))

        assert sorted(states()) == ["pending", "pending", "waiting"]

    def test_is_planned_behind_the_wall(self, world: World) -> None:
        access = access_of_key(world.key)
        with tenant_scope(access):
            take(world, event(world))

        assert Delivery.objects.get().account == world.account


class TestThePlan:
    def test_costs_as_many_queries_for_a_hundred_webhooks_as_for_one(self, world: World) -> None:
        counts = []
        for number in (1, 99):
            for _ in range(number):
                attach(make_webhook(world, "http://127.0.0.1/"))
            with CaptureQueriesContext(connection) as captured:
                take(world, event(world, call_id=f"c{number}"))
            counts.append(len(captured))

        assert counts[0] == counts[1]
        assert Delivery.objects.count() == 101


class TestAResend:
    def test_is_a_delivery_of_its_own(self, world: World, webhook: Webhook) -> None:
        take(world, event(world))
        first = Delivery.objects.get()
        Delivery.objects.update(state=DeliveryState.FAILED, attempt_count=13)

        (again,) = resend(deliveries=[first])

        assert again.public_id != first.public_id
        assert (again.state, again.attempt_count) == ("pending", 0)
        same = ("account", "webhook", "call", "event", "timing", "template_version")
        assert all(getattr(again, name) == getattr(first, name) for name in same)
        assert list(first.resent_as.all()) == [again]

    def test_may_be_repeated(self, world: World, webhook: Webhook) -> None:
        take(world, event(world))
        first = Delivery.objects.get()

        assert len({resend(deliveries=[first])[0].pk for _ in range(3)}) == 3

    def test_is_linked_to_the_original_also_when_it_is_sent_again(
        self, world: World, webhook: Webhook
    ) -> None:
        take(world, event(world))
        first = Delivery.objects.get()
        (second,) = resend(deliveries=[first])
        (third,) = resend(deliveries=[second])

        assert third.resent_from == first

    def test_may_be_made_with_the_current_version(self, world: World, webhook: Webhook) -> None:
        take(world, event(world))
        first = Delivery.objects.get()
        newer = save_template(template=webhook.template, sample='{"new": "%ani%"}', by=None)

        with tenant_scope(access_of_key(world.key)):
            (again,) = resend(deliveries=[first], with_current_version=True)
            (once_more,) = resend(deliveries=[again])

        assert again.template_version == newer
        assert once_more.template_version == newer

    def test_of_many_is_one_insert(
        self, world: World, webhook: Webhook, django_assert_max_num_queries: Any
    ) -> None:
        take_calls(world, 50)
        originals = list(Delivery.objects.order_by("-pk"))

        with django_assert_max_num_queries(5):
            planned = resend(deliveries=originals)

        assert [each.resent_from_id for each in planned] == [each.pk for each in originals]


class TestWhatWasSent:
    def test_keeps_its_webhook_and_its_place(self) -> None:
        delivery = DeliveryFactory()
        for row in (delivery.webhook, delivery.call.location):
            with pytest.raises(RestrictedError):
                row.delete()
