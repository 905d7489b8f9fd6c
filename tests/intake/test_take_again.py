"""Callbacks that are taken again, once their platform is set up right."""

import datetime as dt
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.calls.erasing import erase_personal_data
from apps.calls.models import Call, CallEvent
from apps.common.access import Role
from apps.common.models import AuditEntry
from apps.delivery.models import Delivery
from apps.intake.adapters.event_fields import BY_NAME
from apps.intake.adapters.generic import fill
from apps.intake.models import Callback, Source
from apps.webhooks.mapping import Mapping, to_plain
from tests.builders import World, attach, make_webhook, make_world
from tests.conftest import LogIn
from tests.factories import SourceFactory, TrackingNumberFactory
from tests.intake.calling import Twilio, call, path_of

pytestmark = pytest.mark.django_db

FREE = "+15557770001"


@pytest.fixture
def browser(world: World, log_in: LogIn) -> Client:
    return log_in(account=world.account)


@pytest.fixture
def source(world: World) -> Source:
    """A platform that is set up, and whose number is not yet."""
    places = {"call_id": "$.id", "tracking_number": "$.number"}
    filled = [fill(BY_NAME[name], place) for name, place in places.items()]
    words = {"start": "call.started", "end": "call.ended"}
    mapping = Mapping((fill(BY_NAME["type"], "$.type", words), *filled))
    return SourceFactory(
        account=world.account,
        kind="generic",
        sample='{"id": "c1", "type": "start", "number": "+1"}',
        mapping=to_plain(mapping),
    )


def post(source: Source, **said: str) -> Callback:
    """Post a callback, which is rejected; return it."""
    body = orjson.dumps({"id": "c1", "type": "start", "number": FREE, **said})
    assert call(source, body, content_type="application/json").status_code == 422
    callback: Callback = source.callbacks.get()
    return callback


def set_up_number(world: World) -> None:
    TrackingNumberFactory(account=world.account, location=world.location, number=FREE)


def address(callback: Callback) -> str:
    return reverse("admin:intake_callback_again", args=[callback.pk])


def listed(browser: Client, source: Source) -> str:
    page = browser.get(reverse("admin:intake_source_callbacks", args=[source.pk]))
    return str(page.content.decode())


def ms(moment: dt.datetime) -> dt.datetime:
    """Return a time as events keep it."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def said(page: Any) -> list[str]:
    return [str(message) for message in page.context["messages"]]


def taken() -> str:
    """What is said when the only call there is was made, or went on."""
    link = reverse("admin:calls_call_change", args=[Call.objects.get().pk])
    return f'Taken. <a class="hl-link" href="{link}">Open the call</a>'


class TestACallback:
    def test_is_taken_as_if_it_came_anew(
        self, browser: Client, world: World, source: Source
    ) -> None:
        attach(make_webhook(world, "https://93.184.216.34/leads"))
        callback = post(source)
        came_at = timezone.now() - dt.timedelta(days=3)
        Callback.objects.update(created_at=came_at)
        set_up_number(world)
        assert address(callback) in listed(browser, source)
        assert "Take it again" in str(browser.get(address(callback)).content)
        assert not CallEvent.objects.exists()

        page = browser.post(address(callback), follow=True)

        assert said(page) == [taken()]
        event = CallEvent.objects.get()
        assert (event.type, event.occurred_at) == ("call.started", ms(came_at))
        assert Delivery.objects.get().event == event
        callback.refresh_from_db()
        assert (callback.outcome, callback.detail, callback.call) == ("taken", "", event.call)
        note = AuditEntry.objects.filter(note__contains=callback.public_id).get()
        assert note.account_id == world.account.pk

        # The platform may call again with it, or somebody click again, without a second event.
        body = orjson.dumps({"id": "c1", "type": "start", "number": FREE})
        assert call(source, body, content_type="application/json").json()["outcome"] == "taken"
        assert "Only what was rejected" in said(browser.post(address(callback), follow=True))[0]
        assert address(callback) not in listed(browser, source)
        assert CallEvent.objects.count() == 1

    def test_is_read_as_its_source_is_set_up_now(
        self, browser: Client, world: World, source: Source
    ) -> None:
        set_up_number(world)
        mapping, source.mapping = source.mapping, source.mapping[:1]
        source.save()
        callback = post(source)
        assert "which call it is about" in callback.detail
        source.mapping = mapping
        source.save()
        assert said(browser.post(address(callback), follow=True)) == [taken()]
        assert Call.objects.get().external_id == "c1"

    def test_is_rejected_again_while_it_is_wrong(self, browser: Client, source: Source) -> None:
        callback = post(source)
        (told,) = said(browser.post(address(callback), follow=True))
        assert told.startswith("Rejected.")
        assert callback.detail in told
        assert not Call.objects.exists()

    def test_lets_those_be_taken_that_wait_for_it(
        self, browser: Client, world: World, source: Source
    ) -> None:
        callback = post(source)
        later = orjson.dumps({"id": "c1", "type": "end"})
        assert call(source, later, content_type="application/json").json()["outcome"] == "held"
        set_up_number(world)
        browser.post(address(callback))
        assert {each.outcome for each in Callback.objects.all()} == {"taken"}
        assert set(CallEvent.objects.values_list("type", flat=True)) == {
            "call.started",
            "call.ended",
        }

    def test_in_a_url_is_kept_as_it_was_read(
        self, browser: Client, world: World, source: Source
    ) -> None:
        source.format = "query"
        source.mapping = to_plain(
            Mapping(
                (
                    fill(BY_NAME["type"], "type", {"start": "call.started"}),
                    fill(BY_NAME["call_id"], "id"),
                    fill(BY_NAME["tracking_number"], "number"),
                )
            )
        )
        source.save()
        query = urlencode({"type": "start", "id": "c1", "number": FREE})
        answer = Client().post(f"{path_of(source)}?{query}", {"nothing": "read"})
        assert answer.status_code == 422
        set_up_number(world)
        assert said(browser.post(address(Callback.objects.get()), follow=True)) == [taken()]


class TestOneThatWasIgnored:
    """As its platform tells more than it was set up to mean."""

    @pytest.fixture
    def ignored(self, world: World, source: Source) -> Callback:
        set_up_number(world)
        self.call(source)
        callback: Callback = source.callbacks.get()
        assert callback.outcome == "ignored"
        return callback

    def call(self, source: Source) -> Any:
        body = orjson.dumps({"id": "c1", "type": "ring", "number": FREE})
        return call(source, body, content_type="application/json").json()

    def understand(self, source: Source) -> None:
        words = {"start": "call.started", "end": "call.ended", "ring": "call.started"}
        told = to_plain(Mapping((fill(BY_NAME["type"], "$.type", words),)))
        source.mapping = [*told, *source.mapping[1:]]
        source.save()

    def test_is_taken_by_what_it_means_now(
        self, browser: Client, source: Source, ignored: Callback
    ) -> None:
        assert address(ignored) in listed(browser, source)
        self.understand(source)
        assert said(browser.post(address(ignored), follow=True)) == [taken()]
        assert CallEvent.objects.get().type == "call.started"
        assert address(ignored) not in listed(browser, source)

    def test_stays_ignored_while_it_means_nothing(
        self, browser: Client, source: Source, ignored: Callback
    ) -> None:
        page = browser.post(address(ignored), follow=True)
        assert said(page) == ["Ignored. “ring” is not set up to mean an event."]
        assert [message.level_tag for message in page.context["messages"]] == ["warning"]
        assert not Call.objects.exists()

    def test_is_taken_when_its_platform_calls_again(
        self, source: Source, ignored: Callback
    ) -> None:
        self.understand(source)
        assert self.call(source)["outcome"] == "taken"
        ignored.refresh_from_db()
        assert (ignored.outcome, ignored.detail) == ("taken", "")

    def test_says_so_to_those_alone_who_may(
        self, world: World, source: Source, ignored: Callback, log_in: LogIn
    ) -> None:
        member = log_in(account=world.account, role=Role.MEMBER)
        assert "take it again" not in listed(member, source)


class TestOneOfTwilio:
    def test_is_taken_by_what_was_read_of_it(self, browser: Client, world: World) -> None:
        source = SourceFactory(account=world.account)
        form = {"CallSid": "CA1", "CallStatus": "ringing", "From": "+17776734736", "To": "+1999"}
        more = {"SpeechResult": "x" * 20_000}
        # The URL says where the call came in, and is not kept.
        place = urlencode({"number": FREE})
        assert Twilio(source).post(place, **form, **more).status_code == 422
        set_up_number(world)
        assert said(browser.post(address(Callback.objects.get()), follow=True)) == [taken()]
        assert Call.objects.get().external_id == "CA1"

    def test_that_can_not_be_read_stays_so(self, browser: Client, world: World) -> None:
        source = SourceFactory(account=world.account)
        assert Twilio(source).post(CallSid="CA1", CallStatus="dancing").status_code == 422
        callback = Callback.objects.get()
        shown = listed(browser, source)
        assert "Hookline reads nothing in it that could be taken." in shown
        assert address(callback) not in shown
        assert "reads nothing in it" in said(browser.post(address(callback), follow=True))[0]

    def test_that_was_ignored_stays_so(self, browser: Client, world: World) -> None:
        source = SourceFactory(account=world.account)
        form = {"CallSid": "CA1", "RecordingSid": "RE1", "RecordingStatus": "in-progress"}
        assert Twilio(source).post(**form).status_code == 204
        callback = Callback.objects.get()
        assert callback.outcome == "ignored"
        assert address(callback) not in listed(browser, source)
        assert "reads nothing in it" in said(browser.post(address(callback), follow=True))[0]


class TestWhatIsNotKeptWhole:
    def test_is_not_taken_again(self, browser: Client, world: World, source: Source) -> None:
        callback = post(source, more="x" * 16_384)
        set_up_number(world)
        shown = listed(browser, source)
        assert "Only its first 16 KB are kept." in shown
        assert address(callback) not in shown
        assert "Only its first" in said(browser.post(address(callback), follow=True))[0]
        assert not Call.objects.exists()

    def test_is_not_either_if_its_call_was_erased(
        self, browser: Client, world: World, source: Source
    ) -> None:
        callback = post(source)
        set_up_number(world)
        started = {"id": "c1", "type": "start", "number": FREE, "more": "1"}
        answer = call(source, orjson.dumps(started), content_type="application/json")
        assert answer.status_code == 202
        erase_personal_data(call=Call.objects.get())
        assert "Nothing of it is kept." in said(browser.post(address(callback), follow=True))[0]
        assert CallEvent.objects.count() == 1

    def test_of_a_platform_that_is_off_waits(self, browser: Client, source: Source) -> None:
        callback = post(source)
        source.is_active = False
        source.save()
        assert "switched off" in said(browser.post(address(callback), follow=True))[0]


class TestWho:
    def test_is_an_admin_of_its_account(self, world: World, source: Source, log_in: LogIn) -> None:
        callback = post(source)
        set_up_number(world)
        member = log_in(account=world.account, role=Role.MEMBER)
        assert address(callback) not in listed(member, source)
        assert member.post(address(callback)).status_code == 403
        stranger = log_in(account=make_world("Other").account)
        assert stranger.post(address(callback)).status_code == 404
        assert not Call.objects.exists()
