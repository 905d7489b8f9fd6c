"""“Send test” of an IVR: what its receiver is asked, what is made of the answer, who may do it."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from pytest_django import Settings

from apps.calls.models import Call
from apps.common.access import Role
from apps.common.models import AuditAction, AuditEntry
from apps.common.origin import ActorKind
from apps.delivery.testing import MOST_OF_ACCOUNT, agency_of, place_for_test
from apps.ivr.models import IvrExchange, IvrHook
from tests.builders import World
from tests.common.processes import wait_until
from tests.conftest import LogIn
from tests.delivery.receiver import Receiver
from tests.factories import AccountFactory, CallFactory, IvrParameterFactory, IvrQuestionFactory
from tests.ivr.conftest import Answer, make_hook
from tests.transactions import open_transactions

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(world: World, log_in: LogIn) -> Client:
    return log_in(account=world.account, role=Role.MEMBER)


def send(browser: Client, hook: IvrHook, **typed: Any) -> Any:
    return browser.post(reverse("ivr_test", args=[hook.ivr_id]), typed)


def shown(browser: Client, hook: IvrHook, **typed: Any) -> str:
    response = send(browser, hook, **typed)
    assert response.status_code == 200
    page: str = response.content.decode()
    return page


class TestATest:
    def test_asks_as_for_a_caller(
        self, browser: Client, world: World, receiver: Receiver, answer: Answer
    ) -> None:
        hook = make_hook(world, answer("Your balance is 5."), authorization="Bearer hush")
        IvrQuestionFactory(ivr=hook.ivr, number=2, prompt="Your account number?")
        IvrParameterFactory(hook=hook, name="account_no", token="answer.2")
        call: Call = CallFactory(account=world.account, snapshot={"from": "+15551230000"})

        page = shown(browser, hook, call=str(call.pk), **{"answer.2": "12 & 34"})

        (received,) = receiver.requests
        told = parse_qs(urlsplit(received.path).query)
        assert (told["account_no"], told["ivr_id"]) == (["12 & 34"], ["75"])
        assert told["ivr_caller_id"] == ["5551230000"]
        assert received.headers["webhook-test"] == "true"
        assert received.headers["Authorization"] == "Bearer hush"
        assert "“Your balance is 5.”" in page
        assert "Target URL" in page
        assert escape(received.path) in page
        assert "A caller would have waited" in page
        assert "hush" not in page

    def test_leaves_nothing_behind(self, browser: Client, world: World, answer: Answer) -> None:
        shown(browser, make_hook(world, answer("Hello")))
        assert not IvrExchange.objects.exists()
        assert not Call.objects.exists()

    @pytest.mark.parametrize(
        ("status", "note"),
        [
            ("200 OK", "Target URL decided."),
            (
                "500 Error",
                "Default action decided. Target URL: The receiver answered 500.",
            ),
        ],
    )
    def test_is_told_in_the_audit_log(
        self, browser: Client, world: World, answer: Answer, status: str, note: str
    ) -> None:
        hook = make_hook(world, answer("Hello", status=status))
        shown(browser, hook)
        entry = AuditEntry.objects.get(action=AuditAction.TESTED)
        assert (entry.object_id, entry.note) == (hook.ivr_id, note)
        assert (entry.account, entry.actor_kind) == (world.account, ActorKind.USER)

    def test_is_no_repeat_of_another(
        self, browser: Client, world: World, receiver: Receiver, answer: Answer
    ) -> None:
        hook = make_hook(world, answer("Hello"))
        for _ in range(2):
            shown(browser, hook)
        queries = [parse_qs(urlsplit(each.path).query) for each in receiver.requests]
        assert len({query["ivr_response_id"][0] for query in queries}) == 2
        assert len({each.headers["webhook-id"] for each in receiver.requests}) == 2

    def test_shows_the_action_that_was_understood(
        self, browser: Client, world: World, answer: Answer
    ) -> None:
        body = (
            "<action><app>SurVo</app><parameters><id>80</id><user_parameters>"
            "<firstName>Ann</firstName></user_parameters></parameters></action>"
        )
        page = shown(browser, make_hook(world, answer(body, "text/xml"), mode="action"))
        assert "SurVo id 80" in page
        assert "@firstName" in page

    def test_says_why_there_is_none(
        self, browser: Client, world: World, receiver: Receiver, answer: Answer
    ) -> None:
        hook = make_hook(
            world,
            answer("<action><app>dance</app></action>", "text/xml"),
            mode="action",
            fallback_url=receiver.url("/error"),
            default_value="Goodbye for now.",
        )
        page = shown(browser, hook)
        assert "Default action" in page
        assert "“Goodbye for now.”" in page
        assert "dance" in page
        assert "The receiver answered 500." in page
        assert "Target URL, try 1" in page
        assert "Fallback URL, try 2" in page

    def test_waits_no_longer_than_a_caller(
        self, browser: Client, world: World, receiver: Receiver
    ) -> None:
        page = shown(browser, make_hook(world, receiver.url("/hang"), budget_s=1))
        assert "Default action" in page
        assert "No answer within" in page

    def test_goes_through_the_guard(
        self, browser: Client, world: World, receiver: Receiver, settings: Settings
    ) -> None:
        settings.EGRESS_ALLOW = []
        page = shown(browser, make_hook(world, receiver.url("/ok")))
        assert "Default action" in page
        assert receiver.requests == []

    def test_is_sent_while_the_web_hook_is_off(
        self, browser: Client, world: World, answer: Answer
    ) -> None:
        assert "“Hello”" in shown(browser, make_hook(world, answer("Hello"), is_active=False))

    def test_shares_the_places_of_other_tests(
        self, browser: Client, world: World, receiver: Receiver
    ) -> None:
        hook = make_hook(world, receiver.url("/ok"))
        with ExitStack() as others:
            for _ in range(MOST_OF_ACCOUNT):
                others.enter_context(place_for_test(world.account.pk, agency_of(world.account.pk)))
            page = send(browser, hook)
        assert page.status_code == 429
        assert page.headers["Retry-After"] == "5"
        assert "still waiting for their receivers" in page.content.decode()
        assert receiver.requests == []

    def test_takes_no_call_of_another_account(
        self, browser: Client, world: World, receiver: Receiver, answer: Answer
    ) -> None:
        theirs = CallFactory(snapshot={"from": "+15559990000"})
        shown(browser, make_hook(world, answer("Hello")), call=str(theirs.pk))
        assert "5559990000" not in receiver.requests[0].path

    @pytest.mark.parametrize(
        ("role", "is_own", "status"),
        [(Role.VIEWER, True, 403), (Role.OWNER, False, 404)],
    )
    def test_is_for_those_who_work_there(
        self,
        world: World,
        receiver: Receiver,
        log_in: LogIn,
        role: Role,
        is_own: bool,
        status: int,
    ) -> None:
        hook = make_hook(world, receiver.url("/ok"))
        browser = log_in(account=world.account if is_own else AccountFactory(), role=role)
        assert send(browser, hook).status_code == status
        assert browser.get(reverse("ivr_test", args=[hook.ivr_id])).status_code == 405
        assert receiver.requests == []


class TestTheTab:
    def test_asks_for_a_call_and_for_answers(self, browser: Client, world: World) -> None:
        hook = make_hook(world, "https://93.184.216.34/a")
        IvrQuestionFactory(ivr=hook.ivr, number=1, prompt="Your account number?")
        IvrQuestionFactory(ivr=hook.ivr, number=2, prompt="Say why", is_recorded=True)
        call = CallFactory(account=world.account)
        page = browser.get(reverse("admin:ivr_ivr_webhook", args=[hook.ivr_id])).content.decode()
        assert reverse("ivr_test", args=[hook.ivr_id]) in page
        assert f'value="{call.pk}"' in page
        assert 'name="answer.1"' in page
        assert 'name="answer.2"' not in page

    def test_wants_a_target_first(self, browser: Client, world: World) -> None:
        hook = make_hook(world, "", is_active=False)
        page = browser.get(reverse("admin:ivr_ivr_webhook", args=[hook.ivr_id])).content.decode()
        assert "Save a target URL first" in page
        assert reverse("ivr_test", args=[hook.ivr_id]) not in page
        assert "Default action" in shown(browser, hook)

    def test_offers_no_test_to_viewers(self, world: World, log_in: LogIn) -> None:
        hook = make_hook(world, "https://93.184.216.34/a")
        viewer = log_in(account=world.account, role=Role.VIEWER)
        page = viewer.get(reverse("admin:ivr_ivr_webhook", args=[hook.ivr_id])).content.decode()
        assert "Send test" not in page


@pytest.mark.django_db(transaction=True)
class TestWhileAReceiverIsWaitedFor:
    def test_no_transaction_is_open(self, world: World, receiver: Receiver, log_in: LogIn) -> None:
        hook = make_hook(world, receiver.url("/gated"), budget_s=10)
        browser = log_in(account=world.account, role=Role.MEMBER)

        def ask_and_close() -> int:
            try:
                return int(send(browser, hook).status_code)
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as person:
            waiting = person.submit(ask_and_close)
            try:
                wait_until(lambda: receiver.requests)
                # One that ended a moment ago may still be seen; the receiver is waited for longer.
                wait_until(lambda: open_transactions() == 0, timeout_s=4)
            finally:
                receiver.gate.set()
            assert waiting.result(30) == 200
