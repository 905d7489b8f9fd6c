"""Backtests say what was sent, and what would be."""

import json
from typing import Any

import pytest
from django.urls import reverse

from apps.accounts.access import access_of_key
from apps.accounts.models import Location
from apps.calls.events import Timing
from apps.calls.models import Call
from apps.calls.snapshots import size_of
from apps.campaigns import backtest as backtest_module
from apps.campaigns.backtest import BacktestedCall, backtest
from apps.campaigns.models import Attachment
from apps.delivery.models import Delivery
from apps.intake.services import accept_events
from apps.webhooks.extraction import extract
from apps.webhooks.formats import Format
from apps.webhooks.rendering import compile_template
from tests.builders import JSON_SAMPLE, World, attach, event, make_webhook
from tests.conftest import LogIn
from tests.webhooks.wizard.walking import at_summary

pytestmark = pytest.mark.django_db

URL = "https://93.184.216.34/"
TEMPLATE = compile_template(format=Format.JSON, sample=extract(JSON_SAMPLE, Format.JSON))


def call(world: World, name: str, *options: str, ends: bool = True) -> None:
    """Take a call to the menu in, whose caller presses these keys."""
    pressed: list[dict[str, Any]] = [
        {"type": "call.option_reached", "option": option} for option in options
    ]
    news = [{"type": "call.started"}, *pressed, *([{"type": "call.ended"}] if ends else [])]
    bodies = [
        event(
            call_id=name,
            tracking_number=world.menu_number.number,
            occurred_at=f"2026-03-28T00:05:0{second}Z",
            **each,
        )
        for second, each in enumerate(news)
    ]
    assert not accept_events(access=access_of_key(world.key), bodies=bodies).rejected


def backtested(*attachments: Attachment) -> dict[str, BacktestedCall]:
    """Backtest these attachments of a webhook, by call."""
    found = backtest(calls=Call.objects.all(), attachments=attachments, template=TEMPLATE)
    return {one.call.external_id: one for one in found}


class TestBacktest:
    @pytest.mark.parametrize("timing", list(Timing))
    @pytest.mark.parametrize("place", ["sales", "service", "menu", "campaign", "location", None])
    def test_agrees_with_what_was_planned(
        self, world: World, timing: Timing, place: str | None
    ) -> None:
        names = {"sales": "option", "service": "option", "menu": "treatment"}
        target = {names.get(place, place): getattr(world, place)} if place else {}
        attachment = attach(make_webhook(world, URL), timing, **target)
        call(world, "sales", "1")
        call(world, "both", "2", "1")
        call(world, "none")
        call(world, "open", "1", ends=False)
        planned = sorted(
            (delivery.event_id, delivery.timing) for delivery in Delivery.objects.all()
        )
        again = [
            (sending.event.pk, sending.timing.value)
            for one in backtested(attachment).values()
            for sending in one.sendings
        ]
        assert sorted(again) == planned

    def test_says_why_not(self, world: World) -> None:
        webhook = make_webhook(world, URL)
        call(world, "c", "2", ends=False)
        elsewhere = Location.objects.create(account=world.account, name="Elsewhere")
        for target, reason in (
            ({"option": world.sales}, "The caller did not choose 1 = Sales."),
            ({"campaign": world.campaign}, "It did not come from the campaign Spring."),
            ({"location": elsewhere}, "It was at"),
            ({}, "It has not ended."),
        ):
            attachment = Attachment(
                account=world.account, webhook=webhook, timing=Timing.END, **target
            )
            assert backtested(attachment)["c"].why_not.startswith(reason)
        assert backtested()["c"].why_not == "The webhook is attached nowhere."

    @pytest.mark.parametrize("off", ["location", "campaign", "menu", "option's menu", "attachment"])
    def test_sends_nothing_for_what_is_switched_off(self, world: World, off: str) -> None:
        webhook = make_webhook(world, URL)
        call(world, "c", "1")
        targets: dict[str, tuple[dict[str, Any], Any]] = {
            "location": ({"option": world.sales}, world.location),
            "campaign": ({"campaign": world.campaign}, world.campaign),
            "menu": ({"treatment": world.menu}, world.menu),
            "option's menu": ({"option": world.sales}, world.menu),
        }
        if off == "attachment":
            attachment = attach(webhook, Timing.END)
            attachment.is_active = False
        else:
            target, place = targets[off]
            place.is_active = False
            place.save()
            attachment = attach(webhook, Timing.END, **target)
        found = backtested(
            Attachment.objects.get(pk=attachment.pk) if off != "attachment" else attachment
        )
        assert found["c"].sendings == []
        assert "switched off" in found["c"].why_not

    def test_makes_the_payload_of_an_attachments_own_template(
        self, world: World, log_in: LogIn
    ) -> None:
        call(world, "c")
        attachment = attach(make_webhook(world, URL), Timing.END)
        attachment.own_template = world.xml
        attachment.save()
        link = reverse("admin:webhooks_webhook_backtest", args=[attachment.webhook_id])
        assert "&lt;lead id=&quot;c&quot;&gt;" in log_in(account=world.account).get(link).text

    def test_shows_the_payload_and_stores_nothing(self, world: World) -> None:
        call(world, "c")
        webhook = make_webhook(world, URL)
        (sending,) = backtested(Attachment(account=world.account, webhook=webhook))["c"].sendings
        assert json.loads(sending.payload)["call"] == "c"
        assert not Delivery.objects.exists()


class TestCallsOfWhichTooMuchWasTold:
    def test_are_not_gone_through(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        attachment = attach(make_webhook(world, URL))
        for name in ("oldest", "older", "newest"):
            call(world, name)
        sizes = {
            each.external_id: sum(
                size_of(event.facts) + size_of(event.snapshot) for event in each.events.all()
            )
            for each in Call.objects.all()
        }
        monkeypatch.setattr(backtest_module, "MOST_BYTES", sizes["newest"] + sizes["older"] - 1)
        found = backtested(attachment)
        assert len(found["newest"].sendings) == 1
        for name in ("older", "oldest"):
            assert found[name].sendings == ()
            assert "Too much was told" in found[name].why_not


class TestThePages:
    def test_of_a_webhook(self, world: World, log_in: LogIn) -> None:
        call(world, "c")
        webhook = make_webhook(world, URL)
        browser = log_in(account=world.account)
        link = reverse("admin:webhooks_webhook_backtest", args=[webhook.pk])
        assert "attached nowhere" in browser.get(link).content.decode()
        attach(webhook, Timing.END)
        assert "End of the call" in browser.get(link).content.decode()

    def test_of_a_draft(self, world: World, log_in: LogIn) -> None:
        call(world, "c", ends=False)
        browser = log_in(account=world.account)
        draft = at_summary(browser)
        link = reverse("wizard_backtest", args=[draft.pk])
        assert "It has not ended." in browser.get(link).content.decode()
        assert "5550001111" in browser.get(link, {"timing": "begin"}).content.decode()


class TestConditionsInABacktest:
    """Each call that is left out says why."""

    def attachment(self, world: World, **fields: Any) -> Attachment:
        return attach(make_webhook(world, URL), fields.pop("timing", Timing.END), **fields)

    def test_say_why_a_call_is_left_out(self, world: World) -> None:
        call(world, "short")
        condition = {"field": "duration_s", "op": "at_least", "value": 60}
        found = backtested(self.attachment(world, conditions=condition))["short"]
        assert found.sendings == []
        assert found.why_not == "It lasted 1 s; at least 1 min is wanted."

    def test_give_each_caller_one_turn_oldest_first(self, world: World) -> None:
        for name in ("first", "second"):
            call(world, name)
        found = backtested(self.attachment(world, once_per_caller_h=1))
        assert len(found["first"].sendings) == 1
        assert found["second"].why_not == "This caller was told of less than 1 h before."

    @pytest.mark.parametrize("skips", [True, False])
    def test_wait_as_long_as_the_call_had(self, world: World, skips: bool) -> None:
        call(world, "bare")
        call(world, "recorded")
        recording = {"url": "https://audio.example.com/1.mp3"}
        body = event(
            world,
            type="recording.ready",
            call_id="recorded",
            occurred_at="2026-03-28T00:06:00Z",
            recording=recording,
        )
        assert not accept_events(access=access_of_key(world.key), bodies=[body]).rejected
        wait = {"wait_for": "recording", "wait_min": 5, "wait_skips": skips}
        found = backtested(self.attachment(world, **wait))
        assert found["recorded"].sendings[0].note == "It waited for the recording."
        late = "The recording did not come within 5 min."
        if skips:
            assert found["bare"].why_not == late
        else:
            assert found["bare"].sendings[0].note == late

    def test_send_only_what_changed(self, world: World) -> None:
        call(world, "c1")
        for second, name in ((10, "Ann"), (20, "Ann"), (30, "Bob")):
            body = event(
                world,
                type="call.updated",
                call_id="c1",
                occurred_at=f"2026-03-28T00:05:{second}Z",
                caller={"full_name": name},
            )
            assert not accept_events(access=access_of_key(world.key), bodies=[body]).rejected
        found = backtested(self.attachment(world, timing=Timing.UPDATED, only_changes=True))["c1"]
        payloads = [json.loads(sending.payload) for sending in found.sendings]
        assert payloads[0]["name"] == "Ann"
        assert payloads[1] == {"call": "c1", "name": "Bob", "n": 7}
        assert found.skips == ["When the call is updated: Nothing that it sends has changed."]

    def test_are_on_the_page(self, world: World, log_in: LogIn) -> None:
        call(world, "short")
        attached = self.attachment(
            world, conditions={"field": "answered", "op": "is", "value": True}
        )
        page = log_in(user=world.owner).get(
            reverse("admin:webhooks_webhook_backtest", args=[attached.webhook_id])
        )
        assert "It was not answered." in page.content.decode()
