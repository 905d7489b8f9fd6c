"""From a phone platform's own callbacks, over conditions and a wait, to what a receiver gets."""

import json
from typing import Any

import orjson
import pytest
from django.test import Client
from django.urls import reverse

from apps.campaigns.models import Attachment
from apps.delivery.models import Delivery
from apps.intake.models import Source
from tests.builders import World, make_template, make_webhook
from tests.conftest import LogIn
from tests.delivery.receiver import Receiver
from tests.delivery.sending import drain, states
from tests.intake.calling import Twilio, call

pytestmark = pytest.mark.django_db(transaction=True)

PAYLOAD = '{"id": "%callid%", "from": "%ani%", "talk": "%answered_time%", "rec": "%rec_audiourl%"}'
AGENT = "+15550009999"


@pytest.fixture
def browser(world: World, log_in: LogIn) -> Client:
    return log_in(user=world.owner)


def set_up(browser: Client, kind: str, **fields: str) -> Source:
    """Add a platform and give it what it needs, on its pages."""
    name = f"Our {kind}"
    browser.post(
        reverse("admin:intake_source_add"), {"name": name, "kind": kind, "is_active": "on"}
    )
    source: Source = Source.objects.get(name=name)
    form = {"name": name, "is_active": "on", **fields}
    browser.post(reverse("admin:intake_source_change", args=[source.pk]), form)
    source.refresh_from_db()
    return source


def attach_for_answered_calls(browser: Client, world: World, url: str) -> Attachment:
    """Attach a webhook to answered calls of at least 20 s, once their recording is there."""
    template = make_template(world.account, "With recording", PAYLOAD)
    webhook = make_webhook(world, url, template=template)
    form = {
        "webhook": str(webhook.pk),
        "timing": "end",
        "is_active": "on",
        "only_for-join": ["and", "and"],
        "only_for-what": ["answered", "talk_min"],
        "only_for-value": ["", "20 s"],
        "wait_for": "recording",
        "wait_min": "10",
    }
    answer = browser.post(reverse("admin:campaigns_attachment_add"), form)
    assert answer.status_code == 302, answer.content
    attachment: Attachment = Attachment.objects.get()
    return attachment


def twilio_call(world: World, sid: str, outcome: str) -> list[dict[str, str]]:
    """What Twilio posts of a call that is put through to an agent."""
    call_sid = {"CallSid": sid, "Direction": "inbound", "From": "+17776734736"}
    parent = {**call_sid, "To": world.number.number}
    leg = {"CallSid": f"{sid}leg", "ParentCallSid": sid, "To": AGENT}
    return [
        {**parent, "CallStatus": "ringing", "Timestamp": "Sat, 28 Mar 2026 00:05:00 +0000"},
        {**leg, "CallStatus": "ringing", "Timestamp": "Sat, 28 Mar 2026 00:05:01 +0000"},
        *(
            [{**leg, "CallStatus": outcome, "Timestamp": "Sat, 28 Mar 2026 00:05:07 +0000"}]
            if outcome == "in-progress"
            else []
        ),
        {
            **leg,
            "CallStatus": "completed" if outcome == "in-progress" else outcome,
            "Timestamp": "Sat, 28 Mar 2026 00:05:36 +0000",
        },
        {**parent, "CallStatus": "completed", "Timestamp": "Sat, 28 Mar 2026 00:05:36 +0000"},
    ]


def received(receiver: Receiver) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in receiver.requests]


def test_twilio(world: World, browser: Client, receiver: Receiver) -> None:
    twilio = Twilio(set_up(browser, "twilio", token="token-of-twilio"), token="token-of-twilio")
    attach_for_answered_calls(browser, world, receiver.url())

    for form in twilio_call(world, "CA1", "in-progress") + twilio_call(world, "CA2", "no-answer"):
        assert twilio.post(**form).status_code == 204
    drain()
    assert received(receiver) == []
    assert states() == ["pending", "skipped"]

    recording = {"RecordingSid": "RE1", "RecordingStatus": "completed", "RecordingDuration": "29"}
    url = "https://api.twilio.example/RE1"
    assert twilio.post(CallSid="CA1", RecordingUrl=url, **recording).status_code == 204
    drain()
    assert received(receiver) == [
        {"id": "CA1", "from": "7776734736", "talk": "29", "rec": f"{url}.mp3"}
    ]
    sent, _ = Delivery.objects.order_by("pk")
    page = browser.get(reverse("admin:delivery_delivery_change", args=[sent.pk]))
    assert "It waited for the recording." in page.content.decode()
    log = browser.get(reverse("admin:delivery_delivery_changelist"))
    assert "Skipped: It was not answered." in log.content.decode()


def test_any_other_platform(world: World, browser: Client, receiver: Receiver) -> None:
    body = {
        "event": "hangup",
        "call_uuid": "u1",
        "caller_number": "(777) 673-4736",
        "called_number": world.number.number,
        "disposition": "answered",
        "start_time": "2026-03-28T00:05:00Z",
        "end_time": "2026-03-28T00:05:36Z",
        "talk_time": "0:29",
        "recording_url": "https://audio.example.com/u1.mp3",
    }
    source = set_up(browser, "generic", format="json", sample=json.dumps(body))
    attach_for_answered_calls(browser, world, receiver.url())

    for changes in ({}, {"call_uuid": "u2", "talk_time": "12"}):
        answer = call(source, orjson.dumps({**body, **changes}), content_type="application/json")
        assert answer.status_code == 202, answer.content
    drain()

    assert received(receiver) == [
        {"id": "u1", "from": "7776734736", "talk": "29", "rec": body["recording_url"]}
    ]
    skipped = Delivery.objects.get(state="skipped")
    assert skipped.last_error == "Skipped: The talk lasted 12 s; at least 20 s is wanted."
