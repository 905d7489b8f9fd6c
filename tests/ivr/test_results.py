"""`POST /api/v1/ivr/{ivr}/results`: what comes in, what goes out, and what the platform is told."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from lxml import etree

from apps.accounts import authentication
from apps.ivr.models import IvrExchange, IvrParameter
from tests.builders import World, event
from tests.delivery.receiver import Received, Receiver
from tests.delivery.sending import take
from tests.factories import IvrFactory, IvrHookFactory, IvrQuestionFactory
from tests.ivr.conftest import Answer, make_hook, post

pytestmark = pytest.mark.django_db

NEXT_IVR = (
    b"<action><app>SurVo</app><parameters><id>76</id><user_parameters><firstName>Bill</firstName>"
    b"<file>bill</file></user_parameters><p_t>user_id|12345||step|call_user</p_t></parameters>"
    b"</action>"
)


def told(received: Received) -> dict[str, str]:
    """Return the parameters of a web hook, from its query or its body; each is there once."""
    text = received.body.decode() or urlsplit(received.path).query
    pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


class TestTheElevenParameters:
    """Of one call, worked out by hand from what the platform posted."""

    EXPECTED = {
        "ivr_number_called": "7774839229",
        "ivr_caller_id": "7776734736",
        "ivr_id": "75",
        "ivr_response_id": "r-1",
        "ivr_timestamp": "2026-03-27 20:05:02",
        "ivr_pass_through": "user_id|12345||step|call_user",
        "ivr_call_result": "human",
        "ivr_completed": "1",
        "ivr_session_id": "call-77",
        "ivr_monitored_time": "29",
        "ivr_opted_out": "0",
    }
    POSTED = {
        "started_at": "2026-03-27T20:05:02-04:00",
        "pass_through": "user_id|12345||step|call_user",
        "call_result": "human",
        "monitored_s": 29,
        "opted_out": False,
    }

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_reach_the_receiver(self, method: str, world: World, receiver: Receiver) -> None:
        make_hook(world, receiver.url("/ok?key=1"), method=method)
        answer = post(world, **self.POSTED)
        assert answer.status_code == 200
        (received,) = receiver.requests
        assert received.line.split(" ")[0] == method
        assert {**dict(parse_qsl(urlsplit(received.path).query)), **told(received)} == {
            "key": "1",
            **self.EXPECTED,
        }
        if method == "POST":
            assert urlsplit(received.path).query == "key=1"
            assert received.headers["Content-Type"] == "application/x-www-form-urlencoded"

    def test_are_all_there_when_little_is_known(self, world: World, receiver: Receiver) -> None:
        make_hook(world, receiver.url("/ok"))
        post(world, **{"from": None, "to": None, "completed": None})
        (received,) = receiver.requests
        assert told(received) == {
            **dict.fromkeys(self.EXPECTED, ""),
            "ivr_id": "75",
            "ivr_response_id": "r-1",
            "ivr_timestamp": "2026-03-27 20:05:02",
            "ivr_session_id": "call-77",
        }


class TestACallerWhoIsNotShown:
    @pytest.mark.parametrize("word", ["anonymous", "Restricted", "unavailable"])
    def test_goes_on_as_any_other(self, word: str, world: World, receiver: Receiver) -> None:
        make_hook(world, receiver.url("/ok"))
        assert post(world, **{"from": word}).status_code == 200
        (received,) = receiver.requests
        assert told(received)["ivr_caller_id"] == "anonymous"


class TestOwnParameters:
    def test_are_answers_and_values_of_the_call(self, world: World, receiver: Receiver) -> None:
        hook = make_hook(world, receiver.url("/ok"), method="POST")
        for name, token in (
            ("account_no", "answer.1"),
            ("pin", "answer.2"),
            ("city", "ani_city"),
            ("campaign", "campaign_name"),
        ):
            IvrParameter.objects.create(account=world.account, hook=hook, name=name, token=token)
        take(
            world,
            event(world, call_id="call-77", caller={"city": "Springwood & Söhne"}),
        )
        post(world, answers={"1": "4711 &?=", "02": "99"})
        said = told(receiver.requests[0])
        assert said["account_no"] == "4711 &?="
        assert said["pin"] == "99"
        assert said["city"] == "Springwood & Söhne"
        assert said["campaign"] == "Spring"
        # What the results say of the call counts, where they say it.
        assert said["ivr_number_called"] == "7774839229"
        assert said["ivr_caller_id"] == "7776734736"

    def test_fall_back_on_the_known_call(self, world: World, receiver: Receiver) -> None:
        make_hook(world, receiver.url("/ok"))
        take(world, event(world, call_id="call-77"))
        post(world, **{"from": None, "to": None})
        said = told(receiver.requests[0])
        assert said["ivr_number_called"] == world.number.number.removeprefix("+1")
        assert said["ivr_caller_id"] == "5550001111"


class TestAttribution:
    """All 22, of a call to a dynamic number; none of a one-to-one call."""

    EXPECTED = {
        "st_activity_keyword": "paid search",
        "st_baseuri": "https://www.example.com/cars",
        "st_browser": "Firefox",
        "st_campaign": "spring-sale",
        "st_displayed_timestamp": "2026-03-27 20:01:12",
        "st_document_title": "Motors & Sons",
        "st_domain_set_id": "88",
        "st_gclid": "xyz123",
        "st_google_ua_client_id": "1033501218.1553731200",
        "st_ibp_custom": "banner",
        "st_ibp_unique_id": "u-20931",
        "st_ip_address": "47.156.108.175",
        "st_location_name": "Acme",
        "st_os": "Mac OS X",
        "st_pid": "5da13c4f",
        "st_platform": "google",
        "st_pool_name": "Pool one",
        "st_rank": "2",
        "st_referer": "facebook.com",
        "st_search_term": "used cars",
        "st_sourceguard": "0",
        "st_url_tag": "ad=7",
    }
    VISITOR = {
        "activity_keyword": "paid search",
        "first_page_landed_on": "https://www.example.com/cars",
        "browser_family": "Firefox",
        "ad_campaign": "spring-sale",
        "number_shown_at": "2026-03-28T00:01:12Z",
        "page_title": "Motors & Sons",
        "domain_set_id": "88",
        "gclid": "xyz123",
        "ga_client_id": "1033501218.1553731200",
        "custom": "banner",
        "unique_id": "u-20931",
        "ip_address": "47.156.108.175",
        "operating_system": "Mac OS X",
        "session_id": "5da13c4f",
        "ad_platform": "google",
        "pool_name": "Pool one",
        "rank": 2,
        "referral_domain": "facebook.com",
        "keyword": "used cars",
        "is_sourceguard": False,
        "url_tag": "ad=7",
    }

    def attributed(self, received: Received) -> dict[str, str]:
        return {name: value for name, value in told(received).items() if name[:3] == "st_"}

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_is_sent_for_a_call_to_a_dynamic_number(
        self, method: str, world: World, receiver: Receiver
    ) -> None:
        make_hook(world, receiver.url("/ok"), method=method, includes_attribution=True)
        world.campaign.kind = "digital"
        world.campaign.save()
        take(world, event(world, call_id="call-77", visitor=self.VISITOR))
        post(world)
        assert self.attributed(receiver.requests[0]) == self.EXPECTED

    def test_is_never_sent_for_a_one_to_one_call(self, world: World, receiver: Receiver) -> None:
        make_hook(world, receiver.url("/ok"), includes_attribution=True)
        take(world, event(world, call_id="call-77", visitor=self.VISITOR))
        post(world)
        assert self.attributed(receiver.requests[0]) == {}

    def test_is_sent_only_where_it_is_wanted(self, world: World, receiver: Receiver) -> None:
        make_hook(world, receiver.url("/ok"))
        take(world, event(world, call_id="call-77", visitor=self.VISITOR, number_type="dynamic"))
        post(world)
        assert self.attributed(receiver.requests[0]) == {}


class TestAMessage:
    def test_is_told_as_clean_text(self, world: World, answer: Answer) -> None:
        make_hook(world, answer("<p>Your balance is <b>&pound;5</b></p>", "text/html"))
        reply = post(world).json()
        assert reply["message"] == "Your balance is £5"
        assert (reply["action"], reply["decided_by"], reply["reason"]) == (None, "target", "")

    def test_is_told_as_xml(self, world: World, answer: Answer) -> None:
        make_hook(world, answer("Tom & Jerry"))
        response = post(world, accept="application/xml")
        assert response["Content-Type"] == "application/xml; charset=utf-8"
        root = etree.fromstring(response.content)
        assert (root.findtext("app"), root.findtext("parameters/text")) == (
            "message",
            "Tom & Jerry",
        )

    def test_is_told_as_twiml(self, world: World, answer: Answer) -> None:
        make_hook(world, answer("Hi"), reply_form="twiml")
        response = post(world)
        assert response["Content-Type"] == "text/xml; charset=utf-8"
        assert etree.fromstring(response.content).findtext("Say") == "Hi"


class TestTheNextAction:
    def test_carries_the_prompts_of_the_next_ivr(self, world: World, answer: Answer) -> None:
        make_hook(world, answer(NEXT_IVR, "text/xml"), mode="action")
        following = IvrFactory(account=world.account, location=None, number=76, name="Details")
        IvrQuestionFactory(ivr=following, prompt="Hello @firstName @lastName!")
        IvrQuestionFactory(ivr=following, prompt="", audio="@file.wav", is_recorded=True)
        reply = post(world).json()
        assert reply["action"] == {
            "app": "SurVo",
            "parameters": {"id": "76"},
            "user_parameters": {"firstName": "Bill", "file": "bill"},
            "pass_through": "user_id|12345||step|call_user",
        }
        assert reply["ivr"] == {
            "id": 76,
            "name": "Details",
            "questions": [
                {"number": 1, "prompt": "Hello Bill !", "audio": "", "is_recorded": False},
                {"number": 2, "prompt": "", "audio": "bill.wav", "is_recorded": True},
            ],
        }

    @pytest.mark.parametrize("accept", ["application/xml", "application/twiml+xml"])
    def test_carries_no_character_that_xml_can_not_hold(
        self, accept: str, world: World, answer: Answer
    ) -> None:
        following = IvrFactory(account=world.account, location=None, number=76)
        IvrQuestionFactory(ivr=following, prompt="Hello\uffff @firstName")
        make_hook(
            world,
            answer(NEXT_IVR, "text/xml"),
            mode="action",
            redirect_url="https://platform.example/go\ufffe",
        )
        response = post(world, accept=accept)
        assert response.status_code == 200
        assert etree.fromstring(response.content).tag in ("action", "Response")

    def test_of_another_account_has_no_prompts(self, world: World, answer: Answer) -> None:
        make_hook(world, answer(NEXT_IVR, "text/xml"), mode="action")
        IvrQuestionFactory(ivr__number=76, prompt="Not yours")
        assert post(world).json()["ivr"] is None

    def test_is_told_as_the_sources_xml(self, world: World, answer: Answer) -> None:
        make_hook(world, answer(NEXT_IVR, "text/xml"), mode="action", reply_form="xml")
        following = IvrFactory(account=world.account, location=None, number=76)
        IvrQuestionFactory(ivr=following, prompt="Hello @firstName")
        root = etree.fromstring(post(world).content)
        assert root.findtext("app") == "SurVo"
        assert root.findtext("parameters/id") == "76"
        assert root.findtext("parameters/user_parameters/firstName") == "Bill"
        assert root.findtext("parameters/p_t") == "user_id|12345||step|call_user"
        assert root.findtext("prompts/question[@number='1']/prompt") == "Hello Bill"


class TestPassThrough:
    def test_comes_back_with_the_next_results_of_the_same_call(
        self, world: World, answer: Answer, receiver: Receiver
    ) -> None:
        make_hook(world, answer(NEXT_IVR, "text/xml"), mode="action")
        IvrHookFactory(
            ivr=IvrFactory(account=world.account, location=None, number=76),
            target_url=answer("Bye"),
        )
        post(world)
        post(world, ivr="76", response_id="r-2")
        post(world, ivr="76", response_id="r-3")
        post(world, ivr="76", response_id="r-4", call_id="another")
        passed = [told(each)["ivr_pass_through"] for each in receiver.requests]
        assert passed == ["", "user_id|12345||step|call_user", "", ""]


class TestARepeat:
    def test_gets_the_same_answer_and_asks_nobody(
        self, world: World, answer: Answer, receiver: Receiver
    ) -> None:
        make_hook(world, answer("Hello"))
        first, again = post(world), post(world)
        assert again.json() == first.json()
        assert len(receiver.requests) == 1
        assert IvrExchange.objects.count() == 1


class TestTheLog:
    def test_has_the_whole_exchange(self, world: World, answer: Answer) -> None:
        make_hook(world, answer("Hello", status="201 Created"), authorization="Basic c2VjcmV0OnB3")
        reply = post(world).json()
        exchange = IvrExchange.objects.get()
        assert reply["exchange"] == exchange.public_id
        (tried,) = exchange.tries
        assert (tried["step"], tried["response_status"]) == ("target", 201)
        assert tried["response_body"] == "Hello"
        assert "ivr_session_id=call-77" in tried["url"]
        assert tried["request_headers"]["Authorization"] == "••••••••"
        assert "c2VjcmV0" not in str(exchange.tries)
        assert 0 < exchange.target_ms <= exchange.total_ms
        assert exchange.fallback_ms is None
        assert (exchange.call_external_id, exchange.response_id) == ("call-77", "r-1")

    def test_the_receiver_gets_the_credential_and_an_id(
        self, world: World, answer: Answer, receiver: Receiver
    ) -> None:
        make_hook(world, answer("Hello"), authorization="Basic c2VjcmV0OnB3")
        post(world)
        headers = receiver.requests[0].headers
        assert headers["Authorization"] == "Basic c2VjcmV0OnB3"
        assert headers["webhook-id"] == IvrExchange.objects.get().public_id


class TestQueries:
    def test_do_not_depend_on_what_is_there(
        self, world: World, answer: Answer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Whether the key is still known from the request before would hang on the clock.
        monkeypatch.setattr(authentication, "_KNOWN_FOR_S", 0.0)
        hook = make_hook(world, answer("Hello"))
        post(world)
        with CaptureQueriesContext(connection) as few:
            post(world, response_id="r-2")
        for number in range(20):
            IvrQuestionFactory(ivr=hook.ivr)
            IvrParameter.objects.create(
                account=world.account, hook=hook, name=f"p{number}", token="ani"
            )
            post(world, response_id=f"r-3-{number}")
        with CaptureQueriesContext(connection) as many:
            post(world, response_id="r-4")
        assert len(many) <= len(few) <= 20
