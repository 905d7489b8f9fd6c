"""An IVR from its screens to a receiver that knows only the document of the IVR web hook."""

import asyncio
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from apps.common.access import Role
from apps.ivr.models import Ivr, IvrExchange
from tests.builders import World, event
from tests.conftest import LogIn
from tests.delivery.receiver import BEHAVIOURS, Received, Receiver, response, running_receiver
from tests.delivery.sending import drain, take
from tests.ivr.conftest import post
from tests.ivr.test_admin import formset

pytestmark = pytest.mark.django_db(transaction=True)

CUSTOMERS = {"12345": ("Bill", "Johnson")}
TO_THE_BALANCE = """<?xml version="1.0"?>

<action>

<app>SurVo</app>

<parameters>

<id>76</id>

<user_parameters>

<firstName>{}</firstName>

<lastName>{}</lastName>

</user_parameters>

<p_t>user_id|{}||step|call_user</p_t>

</parameters>

</action>
"""
TO_THE_AGENTS = """<action><app>findme</app>
<parameters><phone_list>2223334444|5556667777</phone_list>
<simultaneous>2</simultaneous><screen_method>1</screen_method>
<whisper_phrase>Call about a payment</whisper_phrase><record>1</record></parameters></action>"""


async def their_server(_: Receiver, received: Received, writer: asyncio.StreamWriter) -> None:
    """Look a caller up, remember them by pass-through data, and say where the call goes."""
    said = {name: values[0] for name, values in parse_qs(urlsplit(received.path).query).items()}
    if said["ivr_id"] == "75":
        first, last = CUSTOMERS[said["account_no"]]
        answer = TO_THE_BALANCE.format(first, last, said["account_no"])
    else:
        known = dict(pair.split("|") for pair in said["ivr_pass_through"].split("||"))
        answer = TO_THE_AGENTS if known["user_id"] in CUSTOMERS else "nobody we know"
    writer.write(response(answer.encode(), "Content-Type: text/xml"))


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setitem(BEHAVIOURS, "survo", their_server)
    with running_receiver() as running:
        yield running


def make_ivr(browser: Client, number: int, name: str, *questions: dict[str, Any]) -> Ivr:
    """Make an IVR on its screen."""
    form = {"number": number, "name": name, **formset("questions", *questions)}
    assert browser.post(reverse("admin:ivr_ivr_add"), form).status_code == 302
    return Ivr.objects.get(number=number)


def set_up(browser: Client, ivr: Ivr, receiver: Receiver, *parameters: dict[str, str]) -> None:
    """Fill in the tab Webhook Settings."""
    form = {
        "is_active": "on",
        "mode": "action",
        "method": "GET",
        "target_url": receiver.url("/survo?company=7"),
        "budget_s": "5",
        "default_app": "hangup",
        "default_value": "",
        "transcription_url": receiver.url("/ok/transcripts"),
        "reply_form": "json",
        **formset("parameters", *parameters),
    }
    response = browser.post(reverse("admin:ivr_ivr_webhook", args=[ivr.pk]), form)
    assert response.status_code == 302, response.context["adminform"].form.errors


def test_a_caller_is_looked_up_and_put_through(
    world: World, log_in: LogIn, receiver: Receiver
) -> None:
    browser = log_in(account=world.account, role=Role.MEMBER)
    ask = {"number": 1, "prompt": "Please enter your account number."}
    account = make_ivr(browser, 75, "Account", ask)
    hello = {"number": 1, "prompt": "Hello @firstName @lastName. Press 1 to pay."}
    word = {"number": 2, "prompt": "Leave a word for us.", "is_recorded": "on"}
    balance = make_ivr(browser, 76, "Balance", hello, word)
    set_up(browser, account, receiver, {"name": "account_no", "token": "answer.1"})
    set_up(browser, balance, receiver)

    take(world, event(world, call_id="call-77"))
    first = post(world, answers={"1": "12345"}).json()
    assert first["action"]["parameters"] == {"id": "76"}
    assert [each["prompt"] for each in first["ivr"]["questions"]] == [
        "Hello Bill Johnson. Press 1 to pay.",
        "Leave a word for us.",
    ]
    second = post(world, ivr="76", response_id="r-2", answers={"1": "1"}).json()
    assert second["action"] == {
        "app": "findme",
        "parameters": {
            "phone_list": "2223334444|5556667777",
            "simultaneous": "2",
            "screen_method": "1",
            "whisper_phrase": "Call about a payment",
            "record": "1",
        },
        "user_parameters": {},
        "pass_through": "",
    }

    said = {"id": 76, "response_id": "r-2", "question": 2, "text": "Thanks"}
    take(world, event(type="transcript.ready", call_id="call-77", ivr=said))
    drain()
    transcribed = parse_qs(urlsplit(receiver.requests[-1].path).query)
    assert (transcribed["survo_id"], transcribed["text"]) == (["76"], ["Thanks"])

    listed = browser.get(reverse("admin:ivr_ivrexchange_changelist")).content.decode()
    assert "SurVo id 76" in listed
    assert "2223334444|5556667777" in listed
    page = browser.get(
        reverse("admin:ivr_ivrexchange_change", args=[IvrExchange.objects.last().pk])
    ).content.decode()
    assert "company=7" in page
    assert "Hello Bill Johnson." in page
