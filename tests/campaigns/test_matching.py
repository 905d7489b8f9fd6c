"""Which webhooks hear of which moments of a call: from events taken in to deliveries planned."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from apps.accounts.access import access_of_key
from apps.accounts.models import Location
from apps.calls.events import Timing
from apps.calls.models import Call
from apps.campaigns.models import Attachment
from apps.delivery.models import Delivery
from apps.intake.services import accept_events
from tests.builders import World, attach, event, make_webhook, make_world

pytestmark = pytest.mark.django_db

URL = "http://127.0.0.1/"
MOMENTS = ("call.started", "call.answered", "call.ended")


def take(world: World, *bodies: dict[str, Any]) -> None:
    receipt = accept_events(access=access_of_key(world.key), bodies=bodies)
    assert not receipt.rejected


def call(world: World, name: str, *options: str, **fields: Any) -> None:
    """Take a whole call to the menu in, whose caller presses these keys."""
    fields = {"tracking_number": world.menu_number.number, **fields}
    pressed = [{"type": "call.option_reached", "option": option} for option in options]
    for second, news in enumerate(
        [{"type": "call.started"}, *pressed, {"type": "call.answered"}, {"type": "call.ended"}]
    ):
        body = {**fields, **news, "occurred_at": f"2026-03-28T00:05:0{second}Z"}
        take(world, event(world, call_id=name, **body))


def told(attachment: Attachment) -> list[tuple[str, str, str]]:
    """What an attachment's webhook hears: call, timing and event, in order."""
    deliveries = Delivery.objects.filter(webhook=attachment.webhook).order_by("pk")
    return [
        (delivery.call.external_id, delivery.timing, delivery.event.type)
        for delivery in deliveries.select_related("call", "event")
    ]


class TestAnAttachmentToAnOption:
    def test_hears_only_of_callers_who_pressed_it(self, world: World) -> None:
        begin = attach(make_webhook(world, URL), option=world.sales)
        end = attach(make_webhook(world, URL), Timing.END, option=world.sales)

        call(world, "sales", "1")
        call(world, "service", "2")
        call(world, "both", "2", "Sales")
        call(world, "neither")
        call(world, "not set up", "9")

        assert told(begin) == [
            ("sales", "begin", "call.option_reached"),
            ("both", "begin", "call.option_reached"),
        ]
        assert told(end) == [("sales", "end", "call.ended"), ("both", "end", "call.ended")]

    def test_hears_once_of_a_caller_who_presses_it_twice(self, world: World) -> None:
        begin = attach(make_webhook(world, URL), option=world.sales)

        call(world, "c1", "1", "2", "1")

        assert len(told(begin)) == 1

    def test_hears_once_when_each_event_repeats_the_option(self, world: World) -> None:
        begin = attach(make_webhook(world, URL), option=world.sales)

        call(world, "c1", "1", option="1")

        assert told(begin) == [("c1", "begin", "call.started")]

    def test_hears_of_updates_after_it_was_reached(self, world: World) -> None:
        updated = attach(make_webhook(world, URL), Timing.UPDATED, option=world.sales)
        call(world, "c1", "1")
        call(world, "c2", "2")

        for name in ("c1", "c2"):
            take(world, event(world, call_id=name, type="recording.ready"))

        assert told(updated) == [("c1", "updated", "recording.ready")]

    def test_shows_who_was_reached_at_that_moment(self, world: World) -> None:
        attach(make_webhook(world, URL), option=world.sales)

        call(world, "c1", "2", "1", "3")

        options = Delivery.objects.get().event.snapshot["options"]
        assert [option["label"] for option in options] == ["Service", "Sales"]


class TestAnAttachmentToATreatment:
    def test_begins_when_the_caller_reaches_it_and_ends_with_the_call(self, world: World) -> None:
        begin = attach(make_webhook(world, URL), treatment=world.menu)
        end = attach(make_webhook(world, URL), Timing.END, treatment=world.menu)

        call(world, "menu", "1")
        call(world, "no menu", tracking_number=world.number.number)

        assert told(begin) == [("menu", "begin", "call.started")]
        assert told(end) == [("menu", "end", "call.ended")]


class TestAnAttachmentToAPlace:
    @pytest.mark.parametrize("target", ["campaign", "location", "account"])
    def test_hears_of_begin_end_and_updates(self, world: World, target: str) -> None:
        place = {} if target == "account" else {target: getattr(world, target)}
        hears = {timing: attach(make_webhook(world, URL), timing, **place) for timing in Timing}
        call(world, "c1", tracking_number=world.number.number)
        take(world, event(world, call_id="c1", type="call.updated"))
        take(world, event(world, call_id="c1", type="transcript.ready"))

        assert told(hears[Timing.BEGIN]) == [("c1", "begin", "call.started")]
        assert told(hears[Timing.END]) == [("c1", "end", "call.ended")]
        assert told(hears[Timing.UPDATED]) == [
            ("c1", "updated", "call.updated"),
            ("c1", "updated", "transcript.ready"),
        ]

    def test_hears_nothing_of_another_campaign_or_location(self, world: World) -> None:
        branch = Location.objects.create(account=world.account, name="Branch")
        at_campaign = attach(make_webhook(world, URL), campaign=world.campaign)
        at_location = attach(make_webhook(world, URL), location=world.location)

        take(world, event(world, tracking_number=None, location=branch.public_id))
        take(world, event(world, call_id="c2", tracking_number=world.menu_number.number))

        assert told(at_campaign) == []
        assert told(at_location) == [("c2", "begin", "call.started")]

    def test_hears_nothing_of_another_account(self, world: World) -> None:
        stranger = make_world("Stranger")
        theirs = attach(make_webhook(stranger, URL))

        call(world, "c1", "1")

        assert told(theirs) == []


class TestAWebhook:
    def test_hears_once_of_an_event_however_it_is_attached(self, world: World) -> None:
        webhook = make_webhook(world, URL)
        first = attach(webhook)
        for target in ("location", "campaign"):
            attach(webhook, **{target: getattr(world, target)})

        take(world, event(world))

        assert Delivery.objects.get().attachment_key == first.pk

    def test_of_a_location_hears_of_that_location_alone(self, world: World) -> None:
        branch = Location.objects.create(account=world.account, name="Branch")
        webhook = make_webhook(world, URL, location=branch)
        everywhere = attach(webhook)

        take(world, event(world))
        take(world, event(world, call_id="c2", tracking_number=None, location=branch.public_id))

        assert told(everywhere) == [("c2", "begin", "call.started")]

    def test_hears_nothing_through_an_attachment_that_is_off(self, world: World) -> None:
        off = attach(make_webhook(world, URL))
        off.is_active = False
        off.save()

        take(world, event(world))

        assert told(off) == []

    def test_that_is_off_has_its_deliveries_planned_all_the_same(self, world: World) -> None:
        webhook = make_webhook(world, URL, is_active=False)
        attach(webhook)

        take(world, event(world))

        assert Delivery.objects.get().state == "pending"

    def test_hears_nothing_of_a_repeat(self, world: World) -> None:
        hears = attach(make_webhook(world, URL))
        body = event(world)

        take(world, body, body)
        take(world, body)

        assert len(told(hears)) == 1

    def test_can_not_be_attached_twice_in_one_way(self, world: World) -> None:
        webhook = make_webhook(world, URL)
        attach(webhook)
        with pytest.raises(IntegrityError), transaction.atomic():
            attach(webhook)


class TestABegin:
    def test_is_told_of_whatever_comes_first(self, world: World) -> None:
        begin = attach(make_webhook(world, URL))

        take(world, event(world, type="call.answered"))
        take(world, event(world, type="call.started", occurred_at="2026-03-28T00:00:00Z"))

        assert told(begin) == [("c1", "begin", "call.answered")]

    @pytest.mark.parametrize("kind", ["call.ended", "call.updated", "recording.ready"])
    def test_is_not_told_of_what_begins_nothing(self, world: World, kind: str) -> None:
        begin = attach(make_webhook(world, URL))

        take(world, event(world, type=kind))

        assert told(begin) == []


class TestWhatIsSwitchedOff:
    def switch_off(self, row: Any) -> None:
        type(row).objects.filter(pk=row.pk).update(is_active=False)

    def test_a_location_sends_nothing_and_keeps_its_calls(self, world: World) -> None:
        whole = attach(make_webhook(world, URL))
        self.switch_off(world.location)
        call(world, "c1")
        assert told(whole) == []
        assert Call.objects.filter(external_id="c1").exists()

    def test_a_campaign_sends_nothing_of_its_own(self, world: World) -> None:
        whole = attach(make_webhook(world, URL))
        own = attach(make_webhook(world, URL), campaign=world.campaign)
        self.switch_off(world.campaign)
        take(world, event(world, call_id="c1"))
        assert told(own) == []
        assert told(whole) == [("c1", "begin", "call.started")]

    def test_a_treatment_sends_nothing_for_itself_and_its_options(self, world: World) -> None:
        own = attach(make_webhook(world, URL), treatment=world.menu)
        option = attach(make_webhook(world, URL), option=world.sales)
        self.switch_off(world.menu)
        call(world, "c1", "1")
        assert told(own) == told(option) == []
