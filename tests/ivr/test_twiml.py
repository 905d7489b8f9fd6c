"""TwiML: what has verbs is said in them, a find me goes on step by step, and the rest is led on."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from lxml import etree
from pytest_django import Settings

from apps.ivr.models import IvrExchange
from apps.ivr.steps import link_to
from apps.ivr.twiml import Moment, Step, begun, continued, has_verb
from tests.builders import World
from tests.factories import IvrFactory, IvrQuestionFactory
from tests.ivr.conftest import Answer, make_hook, post
from tests.ivr.test_actions import action
from tests.ivr.test_results import NEXT_IVR

GO = "https://platform.example/go?a=1"


def links() -> tuple[dict[str, Step], Any]:
    """Return links that are the moment and a number, and the steps behind them."""
    made: dict[str, Step] = {}

    def link(step: Step) -> str:
        made[f"{step.moment}{step.group}"] = step
        return f"{step.moment}{step.group}"

    return made, link


def twiml(root: etree._Element) -> str:
    return etree.tostring(root).decode()


def first(app: str, link: Any, *, redirect_url: str = "", **given: str) -> str:
    """Return the document that an action begins with."""
    return twiml(begun(_reply(app, given), redirect_url, link))


def _reply(app: str, given: dict[str, str]) -> dict[str, Any]:
    parts = {"app": app, "parameters": given, "user_parameters": {}, "pass_through": ""}
    return {"message": None, "action": parts}


def no_link(step: Step) -> str:
    raise AssertionError(f"There is nothing to come: {step}")


class TestVerbs:
    @pytest.mark.parametrize(
        ("app", "given", "verbs"),
        [
            ("hangup", {}, "<Hangup/>"),
            ("transfer", {"destination": "5551234567"}, "<Dial>+15551234567</Dial>"),
            ("transfer", {"destination": "+4930123456"}, "<Dial>+4930123456</Dial>"),
            (
                "voicemail",
                {"id": "12"},
                "<Say>Please leave a message after the tone.</Say>"
                '<Record playBeep="true" maxLength="300"/>',
            ),
        ],
    )
    def test_are_what_twilio_does(self, app: str, given: dict[str, str], verbs: str) -> None:
        assert has_verb(_reply(app, given)["action"], "")
        assert first(app, no_link, **given) == f"<Response>{verbs}</Response>"

    @pytest.mark.parametrize(
        ("app", "given"),
        [
            ("SurVo", {"id": "75"}),
            ("vr", {"id": "3"}),
            ("findme", {"id": "9"}),
            ("findme", {"phone_list": "2223334444", "nextaction": "4", "nextactionitem": "3"}),
            (
                "findme",
                {"phone_list": "2223334444", "screen_method": "2", "whisper_audio": "a.wav"},
            ),
        ],
    )
    def test_are_not_there_for_what_is_at_the_platform(
        self, app: str, given: dict[str, str]
    ) -> None:
        assert not has_verb(_reply(app, given)["action"], "")
        assert has_verb(_reply(app, given)["action"], GO)

    @pytest.mark.parametrize("app", ["SurVo", "vr", "findme", "voicemail"])
    def test_lead_on_to_what_is_at_the_platform(self, app: str) -> None:
        document = first(app, no_link, redirect_url=GO, id="12")
        assert document == (
            f"<Response><Redirect>{GO}&amp;app={app}&amp;id=12</Redirect></Response>"
        )


class TestADynamicFindMe:
    def test_rings_one_number_after_the_other(self) -> None:
        steps, link = links()
        document = first("findme", link, phone_list="2223334444|+15556667777")
        assert document == (
            '<Response><Dial timeout="20" action="dialled0"><Number>+12223334444</Number></Dial>'
            "</Response>"
        )
        then = twiml(continued(steps["dialled0"], {"DialCallStatus": "no-answer"}, link))
        assert then == (
            '<Response><Dial timeout="20" action="dialled1"><Number>+15556667777</Number></Dial>'
            "</Response>"
        )
        end = twiml(continued(steps["dialled1"], {"DialCallStatus": "busy"}, link))
        assert end == (
            "<Response><Say>Nobody is available to take your call. Goodbye.</Say><Hangup/>"
            "</Response>"
        )

    def test_rings_as_many_at_once_as_it_says(self) -> None:
        steps, link = links()
        document = first(
            "findme", link, phone_list="2223334441|2223334442|2223334443", simultaneous="2"
        )
        assert document.count("<Number>") == 2
        then = twiml(continued(steps["dialled0"], {"DialCallStatus": "failed"}, link))
        assert "<Number>+12223334443</Number>" in then

    @pytest.mark.parametrize(
        ("posted", "ends"),
        [
            ({"DialCallStatus": "completed"}, True),
            ({"DialCallStatus": "completed", "DialBridged": "true"}, True),
            # Who picks up and presses no key was never talked to.
            ({"DialCallStatus": "completed", "DialBridged": "false"}, False),
            ({"DialCallStatus": "no-answer"}, False),
            ({}, False),
        ],
    )
    def test_ends_when_somebody_talked(self, posted: dict[str, str], ends: bool) -> None:
        step = Step(Moment.DIALLED, {"phone_list": "2223334441|2223334442"})
        document = twiml(continued(step, posted, links()[1]))
        assert (document == "<Response><Hangup/></Response>") is ends

    def test_whispers_and_asks_for_a_key(self) -> None:
        """The example of the source: one number, a whispered text, recorded."""
        steps, link = links()
        document = first(
            "findme",
            link,
            phone_list="2223334444",
            screen_method="1",
            whisper_phrase="Call from Radio Ad",
            record="1",
        )
        assert document == (
            "<Response><Say>This call is recorded.</Say>"
            '<Dial timeout="20" action="dialled0" record="record-from-answer-dual">'
            '<Number url="picked_up0">+12223334444</Number></Dial></Response>'
        )
        assert twiml(continued(steps["picked_up0"], {}, link)) == (
            '<Response><Gather numDigits="1" timeout="8" action="key_pressed0">'
            "<Say>This call is recorded.</Say><Say>Call from Radio Ad</Say>"
            "<Say>Press any key to take the call.</Say></Gather><Hangup/></Response>"
        )
        assert twiml(continued(steps["key_pressed0"], {"Digits": "1"}, link)) == "<Response/>"

    def test_plays_the_name_of_the_caller(self) -> None:
        steps, link = links()
        document = first("findme", link, phone_list="2223334444", screen_method="0")
        assert document == (
            "<Response><Say>Please say your name after the tone.</Say>"
            '<Record action="named0" maxLength="6" timeout="3" playBeep="true"/>'
            "<Redirect>named0</Redirect></Response>"
        )
        continued(steps["named0"], {"RecordingUrl": "https://api.example/RE1"}, link)
        heard = twiml(continued(steps["picked_up0"], {}, link))
        assert "<Play>https://api.example/RE1</Play>" in heard
        continued(steps["named0"], {"RecordingUrl": "javascript:1"}, link)
        assert "<Play>" not in twiml(continued(steps["picked_up0"], {}, link))

    def test_leaves_out_what_xml_can_not_hold(self) -> None:
        steps, link = links()
        first("findme", link, phone_list="2223334444", screen_method="0")
        continued(steps["named0"], {"RecordingUrl": "https://api.example/\x01\uffffRE1"}, link)
        heard = twiml(continued(steps["picked_up0"], {}, link))
        assert "<Play>https://api.example/RE1</Play>" in heard

    @pytest.mark.parametrize(
        ("given", "of_first", "of_last"),
        [
            ({}, (True, True), (True, True)),
            ({"auto_accept": "0"}, (True, True), (True, True)),
            ({"auto_accept": "1"}, (True, False), (True, False)),
            ({"auto_accept": "2"}, (True, True), (True, False)),
            ({"auto_accept": "3"}, (True, True), (False, False)),
            ({"nextaction": "3"}, (True, True), (True, False)),
            ({"nextaction": "7"}, (True, True), (False, False)),
        ],
    )
    def test_screens_as_the_source_lists(
        self, given: dict[str, str], of_first: tuple[bool, bool], of_last: tuple[bool, bool]
    ) -> None:
        """Whether the whisper is heard, and whether a key is asked for."""
        screened = {"screen_method": "1", "whisper_phrase": "Hello", **given}
        for group, wanted in enumerate((of_first, of_last)):
            step = Step(Moment.PICKED_UP, {"phone_list": "2223334441|2223334442", **screened})
            heard = twiml(continued(Step(step.moment, step.given, "", group), {}, links()[1]))
            assert ("Hello" in heard, "<Gather" in heard) == wanted

    @pytest.mark.parametrize(
        ("nextaction", "app"), [("2", "voicemail"), ("4", "vr"), ("5", "findme"), ("6", "SurVo")]
    )
    def test_goes_on_when_nobody_is_reached(self, nextaction: str, app: str) -> None:
        given = {"phone_list": "2223334444", "nextaction": nextaction, "nextactionitem": "7"}
        step = Step(Moment.DIALLED, given, GO)
        document = twiml(continued(step, {"DialCallStatus": "busy"}, no_link))
        assert document == (
            f"<Response><Redirect>{GO}&amp;app={app}&amp;id=7</Redirect></Response>"
        )

    def test_takes_a_message_itself_without_a_program(self) -> None:
        given = {"phone_list": "2223334444", "nextaction": "2", "nextactionitem": "7"}
        step = Step(Moment.DIALLED, given)
        assert "<Record" in twiml(continued(step, {"DialCallStatus": "busy"}, no_link))


@pytest.mark.django_db
class TestOverHttp:
    def test_leads_on_with_all_of_the_action(self, world: World, answer: Answer) -> None:
        make_hook(
            world,
            answer(NEXT_IVR, "text/xml"),
            mode="action",
            reply_form="twiml",
            redirect_url="https://platform.example/go",
        )
        following = IvrFactory(account=world.account, location=None, number=76)
        IvrQuestionFactory(ivr=following, prompt="Hello @firstName & co")
        link = etree.fromstring(post(world).content).findtext("Redirect") or ""
        assert dict(parse_qsl(urlsplit(link).query)) == {
            "app": "SurVo",
            "id": "76",
            "@firstName": "Bill",
            "@file": "bill",
            "p_t": "user_id|12345||step|call_user",
            "prompt_1": "Hello Bill & co",
        }

    def test_a_find_me_is_fetched_step_by_step(
        self, world: World, answer: Answer, settings: Settings
    ) -> None:
        settings.PUBLIC_URL = "http://testserver"
        said = action(
            "findme",
            phone_list="2223334441|2223334442",
            screen_method="1",
            whisper_phrase="Söhne & Co",
        )
        make_hook(world, answer(said, "text/xml"), mode="action")
        response = post(world, accept="application/twiml+xml")
        assert response["Content-Type"] == "text/xml; charset=utf-8"
        dial = etree.fromstring(response.content).find("Dial")
        assert dial is not None
        whisper = Client().post(dial[0].get("url"))
        assert etree.fromstring(whisper.content).findtext("Gather/Say") == "Söhne & Co"
        then = Client().post(dial.get("action"), {"DialCallStatus": "no-answer"})
        assert then["Content-Type"] == "text/xml; charset=utf-8"
        assert etree.fromstring(then.content).findtext("Dial/Number") == "+12223334442"

    def test_what_has_no_verb_ends_in_the_default_action(
        self, world: World, answer: Answer
    ) -> None:
        said = answer(action("vr", id="3"), "text/xml")
        make_hook(world, said, mode="action", reply_form="twiml")
        root = etree.fromstring(post(world).content)
        assert root.findtext("Say") == "Thank you for your call. Goodbye."
        assert (
            "TwiML has no verb for this vr; set a redirect URL." in IvrExchange.objects.get().reason
        )

    def test_another_form_is_not_concerned(self, world: World, answer: Answer) -> None:
        make_hook(world, answer(action("vr", id="3"), "text/xml"), mode="action")
        assert post(world).json()["action"]["app"] == "vr"

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_addresses_of_others_are_of_nobody(self, method: str) -> None:
        forged = link_to(Step(Moment.DIALLED, {"phone_list": "2223334444"}))[:-1] + "!"
        for path in (urlsplit(forged).path, reverse("ivr_step", args=["x"])):
            assert getattr(Client(), method)(path).status_code == 404
