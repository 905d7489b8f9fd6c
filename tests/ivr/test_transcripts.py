"""Transcripts of recorded questions: from an event to one GET each, through the engine."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from apps.accounts.access import access_of_key
from apps.calls.models import Call
from apps.common.access import Role
from apps.delivery.models import Delivery
from apps.intake.services import accept_events
from apps.ivr.models import Ivr
from apps.ivr.transcripts import set_transcription_url
from apps.webhooks.models import Webhook
from tests.builders import World, event, make_world
from tests.conftest import LogIn
from tests.delivery.receiver import Receiver
from tests.delivery.sending import drain, fall_due, states, take
from tests.ivr.conftest import make_hook

pytestmark = pytest.mark.django_db


@pytest.fixture
def ivr(world: World, receiver: Receiver) -> Ivr:
    """An IVR whose transcripts go to `/ok/transcripts`."""
    made = make_hook(world, receiver.url("/ok")).ivr
    set_transcription_url(ivr=made, url=receiver.url("/ok/transcripts?key=1"), by=None)
    return made


def transcript(world: World, **ivr: Any) -> dict[str, Any]:
    """Return an event that brings the transcript of an answer."""
    said = {"id": 75, "response_id": "r-1", "question": 2, "text": "Call me back, please."}
    return event(
        world,
        type="transcript.ready",
        call_id="call-77",
        occurred_at="2026-03-28T00:09:00Z",
        ivr={**said, **ivr},
    )


def told(receiver: Receiver) -> list[dict[str, str]]:
    paths = [urlsplit(each.path) for each in receiver.requests]
    assert {path.path for path in paths} == {"/ok/transcripts"}
    return [dict(parse_qsl(path.query, keep_blank_values=True)) for path in paths]


class TestTheWebhook:
    def test_is_shown_with_the_ivr_that_uses_it(
        self, world: World, ivr: Ivr, log_in: LogIn
    ) -> None:
        tab = reverse("admin:accounts_location_webhooks", args=[world.location.pk])
        browser = log_in(account=world.account, role=Role.VIEWER)
        page = browser.get(tab).content.decode()
        assert (
            f'href="{reverse("admin:ivr_ivr_webhook", args=[ivr.pk])}">IVR 75 Balance</a>' in page
        )
        assert "Nowhere" not in page

        set_transcription_url(ivr=ivr, url="", by=None)
        page = browser.get(tab).content.decode()
        assert "IVR 75 Balance" not in page
        assert "Nowhere: nothing is sent" in page


@pytest.mark.django_db(transaction=True)
class TestOnTheWire:
    def test_is_one_get_for_each(self, world: World, ivr: Ivr, receiver: Receiver) -> None:
        """As the source lists it, worked out by hand; the answers come in any order."""
        take(world, event(world, call_id="call-77"))
        later = transcript(
            world, question=3, duration_s=6.4, date="2026-03-28T00:08:00Z", text="Blue & green"
        )
        take(world, later, transcript(world))
        drain()
        assert [each.line.split(" ")[0] for each in receiver.requests] == ["GET", "GET"]
        assert sorted(told(receiver), key=lambda said: said["question"]) == [
            {
                "key": "1",
                "survo_id": "75",
                "unique_id": "r-1",
                "question": "2",
                "duration": "",
                "date": "2026-03-27 20:09:00",
                "text": "Call me back, please.",
            },
            {
                "key": "1",
                "survo_id": "75",
                "unique_id": "r-1",
                "question": "3",
                "duration": "6",
                "date": "2026-03-27 20:08:00",
                "text": "Blue & green",
            },
        ]
        assert states() == ["succeeded", "succeeded"]

    def test_is_tried_again(self, world: World, receiver: Receiver) -> None:
        made = make_hook(world, receiver.url("/ok")).ivr
        set_transcription_url(ivr=made, url=receiver.url("/unavailable-once"), by=None)
        take(world, transcript(world))
        drain()
        assert states() == ["pending"]
        fall_due(*Delivery.objects.all())
        drain()
        assert states() == ["succeeded"]


class TestPlanning:
    def test_leaves_the_transcript_of_the_call_alone(self, world: World, ivr: Ivr) -> None:
        take(world, event(world, call_id="call-77", transcript="All of it"))
        take(world, transcript(world))
        call = Call.objects.get()
        assert call.snapshot["transcript"] == "All of it"
        assert call.snapshot["ivr"]["text"] == "Call me back, please."

    def test_is_for_transcripts_of_this_ivr_only(self, world: World, ivr: Ivr) -> None:
        other = make_world("Other")
        make_hook(other, "https://93.184.216.34/")
        take(world, event(world, type="transcript.ready", transcript="Hello"))
        take(world, transcript(world, id=76))
        take(other, transcript(other))
        assert not Delivery.objects.exists()
        take(world, transcript(world, id="075"))
        assert Delivery.objects.get().webhook == ivr.transcription_webhook

    def test_is_once_an_event(self, world: World, ivr: Ivr) -> None:
        said = transcript(world)
        take(world, said)
        take(world, said)
        assert Delivery.objects.count() == 1

    @pytest.mark.parametrize(
        ("wrong", "pointer", "code"),
        [
            ({"id": None}, "/ivr/id", "required"),
            ({"id": "seven"}, "/ivr/id", "invalid_number"),
            ({"response_id": ""}, "/ivr/response_id", "required"),
            ({"question": -1}, "/ivr/question", "invalid_number"),
            ({"text": None}, "/ivr/text", "required"),
            ({"text": ["a"]}, "/ivr/text", "not_text"),
            ({"date": "soon"}, "/ivr/date", "invalid_time"),
            ({"duration_s": -1}, "/ivr/duration_s", "invalid_number"),
        ],
    )
    def test_refuses_what_is_no_transcript(
        self, wrong: dict[str, Any], pointer: str, code: str, world: World
    ) -> None:
        receipt = accept_events(
            access=access_of_key(world.key), bodies=[transcript(world, **wrong)]
        )
        assert [(each.pointer, each.code) for each in receipt.rejected] == [(pointer, code)]


class TestTheUrl:
    def test_is_a_webhook_of_its_own(self, world: World, ivr: Ivr, receiver: Receiver) -> None:
        first = ivr.transcription_webhook
        set_transcription_url(ivr=ivr, url=receiver.url("/ok/transcripts?key=1"), by=None)
        assert ivr.transcription_webhook == first
        set_transcription_url(ivr=ivr, url=receiver.url("/ok/elsewhere"), by=None)
        assert ivr.transcription_webhook != first
        assert Webhook.objects.filter(name="Transcripts of IVR 75").count() == 2
        set_transcription_url(ivr=ivr, url="", by=None)
        take(world, transcript(world))
        assert not Delivery.objects.exists()

    def test_is_judged_as_any_other(self, world: World) -> None:
        made = make_hook(world, "https://93.184.216.34/").ivr
        with pytest.raises(ValidationError):
            set_transcription_url(ivr=made, url="http://169.254.169.254/", by=None)
        assert made.transcription_webhook is None
