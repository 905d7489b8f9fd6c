"""A caller never meets silence: what happens when receivers misbehave."""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from apps.common.egress import MAX_URL_LENGTH, EgressPolicy
from apps.delivery.clients.waiting_client import WaitingSession, send, waiting_session
from apps.delivery.outcome import ErrorKind
from apps.ivr import services, waiting
from apps.ivr.asking import ask
from apps.ivr.models import Ivr, IvrExchange, IvrHook
from apps.ivr.reading import read_message
from apps.ivr.requests import requests_of
from tests.builders import World, make_world
from tests.common.hostile_urls import BLOCKED_URLS, INVALID_URLS
from tests.common.processes import wait_until
from tests.delivery.receiver import Receiver
from tests.ivr.conftest import Answer, make_hook, post, post_and_close
from tests.ivr.test_actions import BILLION_LAUGHS, FILE_ENTITY
from tests.transactions import cut_others, open_transactions

pytestmark = pytest.mark.django_db

GOODBYE = "Thank you for your call. Goodbye."
HANGUP = b"<action><app>hangup</app></action>"


def only_exchange() -> IvrExchange:
    return IvrExchange.objects.get()


def falls_back_on_the_default(response: Any, why: str) -> None:
    """The platform hears the default action and nothing else; the log says why."""
    assert response.status_code == 200
    reply = response.json()
    assert (reply["decided_by"], reply["message"]) == ("default", GOODBYE)
    assert why in reply["reason"]
    exchange = only_exchange()
    assert (exchange.decided_by, exchange.reason) == ("default", reply["reason"])
    assert all(each["error_message"] for each in exchange.tries)


class TestAnAnswerThatCanNotBeUsed:
    @pytest.mark.parametrize(
        ("body", "content_type", "status", "why"),
        [
            (HANGUP, "text/xml", "500 Oops", "answered 500"),
            (HANGUP, "text/xml", "404 Not Found", "answered 404"),
            (b"", "text/xml", "200 OK", "no <action>"),
            (b"<html><body>Fatal error</body></html>", "text/html", "200 OK", "an HTML page"),
            (BILLION_LAUGHS, "text/xml", "200 OK", "DOCTYPE"),
            (FILE_ENTITY, "text/xml", "200 OK", "DOCTYPE"),
            (b"<action>" * 5_000, "text/xml", "200 OK", "no XML that can be read"),
            (b"<action>caf\xe9</action>", "text/xml; charset=utf-8", "200 OK", "no XML"),
            (HANGUP, "text/xml; charset=utf-16", "200 OK", "no XML"),
            (HANGUP, "text/xml; charset=klingon", "200 OK", "is not known"),
            (b"<action><app>jump</app></action>", "text/xml", "200 OK", "“jump”; known are"),
            (b"<action/>" + b" " * 50_000_000, "text/xml", "200 OK", "larger than 65,536 bytes"),
            (b"\0" * 900, "text/xml", "200 OK", "no XML"),
            (b"<a>" * 20_000 + b"</a>" * 20_000, "text/xml", "200 OK", "larger than 65,536"),
            (b"<a>" * 9_000 + b"</a>" * 9_000, "text/xml", "200 OK", "no XML that can be read"),
        ],
    )
    def test_leads_to_the_default_action(
        self,
        body: bytes,
        content_type: str,
        status: str,
        why: str,
        world: World,
        answer: Answer,
    ) -> None:
        make_hook(world, answer(body, content_type, status), mode="action")
        falls_back_on_the_default(post(world), why)
        assert len(only_exchange().tries) == 1

    @pytest.mark.parametrize(
        ("path", "why"),
        [
            ("/gigabyte", "larger than 65,536 bytes"),
            ("/endless-chunks", "larger than 65,536 bytes"),
            ("/endless-headers", "larger than Hookline reads"),
            ("/redirect", "leads to http://10.0.0.1/; redirects are not followed"),
            ("/gzip-bomb", "is compressed (gzip)"),
            ("/garbage", "not valid HTTP"),
            ("/partial-body", "in the middle of its answer"),
            ("/empty", "no text to read"),
            ("/body-64k-1", "larger than 65,536 bytes"),
        ],
    )
    def test_may_be_of_any_kind(
        self, path: str, why: str, world: World, receiver: Receiver
    ) -> None:
        make_hook(world, receiver.url(path))
        falls_back_on_the_default(post(world), why)


class TestTheBudget:
    @pytest.mark.parametrize(
        ("path", "why", "budget_s"),
        [
            ("/hang", "No answer within 0.", 1),
            ("/drip-head", "No answer within 0.", 1),
            # Time for its head, however busy the machine is.
            ("/drip-body", "was not complete within ", 4),
        ],
    )
    def test_ends_every_wait(
        self, path: str, why: str, budget_s: int, world: World, receiver: Receiver
    ) -> None:
        make_hook(world, receiver.url(path), budget_s=budget_s)
        falls_back_on_the_default(post(world), why)
        assert len(receiver.requests) == 1

    def test_ends_the_wait_for_a_name(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """The name server never answers: the look-up is given up, for the fallback too."""
        is_over = threading.Event()

        def never(*_: Any, **__: Any) -> list[Any]:
            is_over.wait(60)
            return []

        with waiting_session(EgressPolicy(), resolve=never) as session:
            monkeypatch.setattr(services, "shared_session", lambda: session)
            url = "https://receiver.example/ivr"
            make_hook(world, url, budget_s=1, fallback_url=url)
            response = post(world)
            is_over.set()
        falls_back_on_the_default(response, "No connection within 0.")
        assert [each["step"] for each in only_exchange().tries] == ["target", "fallback"]

    def test_leaves_a_share_to_the_fallback(
        self, world: World, receiver: Receiver, answer: Answer
    ) -> None:
        # The share is two fifths: enough for an answer, however busy the machine is.
        make_hook(world, receiver.url("/hang"), budget_s=5, fallback_url=answer("Hello"))
        reply = post(world).json()
        assert (reply["message"], reply["decided_by"]) == ("Hello", "fallback")
        assert "No answer within " in reply["reason"]

    def test_counts_what_was_before(self, world: World, receiver: Receiver) -> None:
        """Both receivers hang: neither has more than what is left."""
        url = receiver.url("/hang")
        make_hook(world, url, budget_s=1, fallback_url=url)
        reply = post(world).json()
        assert reply["decided_by"] == "default"
        assert [each["step"] for each in only_exchange().tries] == ["target", "fallback"]
        assert reply["reason"].count("No answer within 0.") == 2


class TestTheRetry:
    def test_is_for_connections_that_fail(self, world: World, receiver: Receiver) -> None:
        make_hook(world, receiver.url("/silent-close"))
        falls_back_on_the_default(post(world), "closed the connection before it answered")
        assert [each["number"] for each in only_exchange().tries] == [1, 2]
        assert len(receiver.requests) == 2

    def test_is_not_for_answers(self, world: World, receiver: Receiver) -> None:
        make_hook(world, receiver.url("/error"))
        post(world)
        assert len(receiver.requests) == 1

    def test_may_be_all_that_it_takes(self, world: World, receiver: Receiver) -> None:
        receiver.requests.clear()
        make_hook(world, receiver.url("/ok-at-the-second"))
        reply = post(world).json()
        assert (reply["message"], reply["decided_by"], reply["reason"]) == ("ok", "target", "")
        assert len(only_exchange().tries) == 2

    def test_has_the_same_id(self, world: World, receiver: Receiver) -> None:
        make_hook(world, receiver.url("/reset"), fallback_url=receiver.url("/ok"))
        post(world)
        ids = [each.id for each in receiver.requests]
        assert len(ids) == 3
        assert set(ids) == {only_exchange().public_id}


class TestTheFallback:
    @pytest.mark.parametrize("mode", ["message", "action"])
    def test_is_asked_in_the_same_way(
        self, mode: str, world: World, receiver: Receiver, answer: Answer
    ) -> None:
        make_hook(
            world,
            receiver.url("/error?a=1"),
            mode=mode,
            method="POST",
            fallback_url=answer(HANGUP, "text/xml") + "?b=2",
        )
        reply = post(world).json()
        assert reply["decided_by"] == "fallback"
        assert reply["reason"] == "Target URL: The receiver answered 500."
        first, second = receiver.requests
        assert first.body == second.body
        exchange = only_exchange()
        assert [each["step"] for each in exchange.tries] == ["target", "fallback"]
        assert exchange.target_ms is not None
        assert exchange.fallback_ms is not None

    def test_gets_no_credential_of_another_host(self, world: World, receiver: Receiver) -> None:
        other = f"http://localhost:{receiver.port}/ok"
        make_hook(world, receiver.url("/error"), fallback_url=other, authorization="Bearer s")
        post(world)
        sent = [each.headers.get("Authorization") for each in receiver.requests]
        assert sent == ["Bearer s", None]


class TestTheDefaultAction:
    @pytest.mark.parametrize(
        ("app", "value", "action"),
        [
            ("hangup", "", {"app": "hangup", "parameters": {}}),
            ("transfer", "555 123-4567", {"destination": "5551234567"}),
            ("voicemail", "12", {"id": "12"}),
            ("vr", "3", {"id": "3"}),
            ("findme", "9", {"id": "9"}),
            ("SurVo", "76", {"id": "76"}),
        ],
    )
    def test_may_be_any_action(
        self, app: str, value: str, action: dict[str, Any], world: World, receiver: Receiver
    ) -> None:
        make_hook(world, receiver.url("/error"), default_app=app, default_value=value)
        told = post(world).json()["action"]
        assert told["app"] == app
        assert told["parameters"] == action.get("parameters", action)

    def test_is_for_hooks_that_are_off(self, world: World, receiver: Receiver) -> None:
        make_hook(world, receiver.url("/ok"), is_active=False)
        falls_back_on_the_default(post(world), "switched off")
        assert receiver.connections == 0

    def test_is_for_hooks_whose_credential_can_not_be_read(
        self, world: World, receiver: Receiver
    ) -> None:
        make_hook(world, receiver.url("/ok"), authorization="Bearer hush")
        with connection.cursor() as cursor:
            cursor.execute("UPDATE ivr_ivrhook SET \"authorization\" = 'of another key'")
        falls_back_on_the_default(post(world), "credential of the web hook can not be read")
        assert receiver.connections == 0

    def test_is_for_locations_that_are_off(self, world: World, receiver: Receiver) -> None:
        make_hook(world, receiver.url("/ok"))
        world.location.is_active = False
        world.location.save()
        falls_back_on_the_default(post(world), "The location is switched off")
        assert receiver.connections == 0


@pytest.fixture(scope="module")
def session() -> Iterator[WaitingSession]:
    with waiting_session(EgressPolicy()) as session:
        yield session


class TestTheEgressGuard:
    # Those without a URL, or with one that is too long, are refused where they are saved.
    @pytest.mark.parametrize(
        "url", [url for url in (*INVALID_URLS, *BLOCKED_URLS) if 0 < len(url) <= MAX_URL_LENGTH]
    )
    def test_lets_no_request_out_to_a_hostile_url(self, url: str, session: WaitingSession) -> None:
        hook = IvrHook(
            ivr=Ivr(number=75), target_url=url, fallback_url=url, authorization="Bearer s"
        )
        target, fallback = requests_of(hook, [], {}, message_id="ivx_1")
        assert fallback is not None
        heard = ask(
            target=target,
            fallback=fallback,
            send=lambda request: send(session, request),
            read=read_message,
            began=perf_counter(),
            budget_s=5,
        )
        assert heard.decision is None
        assert [each.outcome.error_kind for each in heard.tries] == [ErrorKind.BLOCKED] * 2
        assert [each.outcome.sends for each in heard.tries] == [0, 0]

    def test_holds_for_names_and_the_fallback(
        self, world: World, receiver: Receiver, settings: Settings
    ) -> None:
        settings.EGRESS_ALLOW = []
        make_hook(
            world,
            f"http://localhost:{receiver.port}/ok",
            fallback_url=receiver.url("/ok"),
        )
        reply = post(world).json()
        assert "localhost points to" in reply["reason"]
        assert "127.0.0.1 is" in reply["reason"]
        assert receiver.connections == 0


@pytest.mark.django_db(transaction=True)
class TestWhileAReceiverIsWaitedFor:
    def test_no_transaction_is_open(self, world: World, receiver: Receiver) -> None:
        make_hook(world, receiver.url("/gated"))
        with ThreadPoolExecutor(1) as caller:
            asked = caller.submit(post_and_close, world)
            wait_until(lambda: receiver.requests, timeout_s=30)
            # One that ended a moment ago may still be seen; the receiver is waited for longer.
            wait_until(lambda: open_transactions() == 0, timeout_s=4)
            receiver.gate.set()
            assert asked.result(30)["message"] == "ok"

    def test_the_platform_is_answered_though_the_database_goes_away(
        self, world: World, receiver: Receiver, caplog: pytest.LogCaptureFixture
    ) -> None:
        make_hook(world, receiver.url("/gated"))
        with ThreadPoolExecutor(1) as caller:
            asked = caller.submit(post_and_close, world)
            wait_until(lambda: receiver.requests, timeout_s=30)
            assert cut_others()
            receiver.gate.set()
            assert asked.result(30)["message"] == "ok"

        (line,) = [each for each in caplog.records if each.name == services.logger.name]
        assert (line.levelno, line.exc_info) == (logging.WARNING, None)
        assert "could not be recorded: " in line.getMessage()
        assert "\n" not in line.getMessage()

    def test_the_platform_is_answered_though_nobody_can_write_it_down(
        self, world: World, receiver: Receiver, caplog: pytest.LogCaptureFixture
    ) -> None:
        make_hook(world, receiver.url("/gated"))
        with ThreadPoolExecutor(1) as caller:
            asked = caller.submit(post_and_close, world)
            wait_until(lambda: receiver.requests, timeout_s=30)
            with connection.cursor() as cursor:
                cursor.execute("REVOKE INSERT ON ivr_ivrexchange FROM hookline_tenant")
            receiver.gate.set()
            try:
                assert asked.result(30)["message"] == "ok"
            finally:
                with connection.cursor() as cursor:
                    cursor.execute("GRANT INSERT ON ivr_ivrexchange TO hookline_tenant")
        assert not IvrExchange.objects.exists()
        (fault,) = [each for each in caplog.records if each.name == services.logger.name]
        assert fault.exc_info


@pytest.mark.django_db(transaction=True)
class TestManyCallers:
    @pytest.fixture(autouse=True)
    def one_place(self, settings: Settings) -> None:
        settings.IVR_MOST_WAITING = 1

    def test_of_a_slow_receiver_do_not_hold_every_thread(
        self, world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With the only place taken, another caller hears the default action at once."""
        monkeypatch.setattr(waiting, "SLOW_S", 0.0)
        make_hook(world, receiver.url("/ok"))
        assert post(world).json()["message"] == "ok"
        first, second = self.two_callers(world, receiver)
        assert first["message"] == "ok"
        assert (second["decided_by"], second["message"]) == ("default", GOODBYE)
        assert second["reason"] == "Nobody was asked: 1 callers were waiting already."
        assert IvrExchange.objects.get(response_id="second").reason == second["reason"]

    def test_of_a_quick_receiver_all_get_its_answer(self, world: World, receiver: Receiver) -> None:
        make_hook(world, receiver.url("/gated"))
        with ThreadPoolExecutor(2) as callers:
            asked = [callers.submit(post_and_close, world, response_id=name) for name in ("a", "b")]
            wait_until(lambda: len(receiver.requests) == 2, timeout_s=30)
            receiver.gate.set()
            assert [each.result(30)["message"] for each in asked] == ["ok", "ok"]

    def test_of_another_account_have_places_of_their_own(
        self, world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(waiting, "SLOW_S", 0.0)
        other = make_world()
        make_hook(other, receiver.url("/ok"))
        make_hook(world, receiver.url("/ok"))
        assert post(world).json()["decided_by"] == "target"
        first, second = self.two_callers(world, receiver, second=other)
        assert (first["decided_by"], second["decided_by"]) == ("target", "target")

    def two_callers(
        self, world: World, receiver: Receiver, *, second: World | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Post results while another caller waits; return both answers."""
        IvrHook.objects.filter(account=world.account).update(target_url=receiver.url("/gated"))
        before = len(receiver.requests)
        with ThreadPoolExecutor(1) as caller:
            asked = caller.submit(post_and_close, world, response_id="first")
            wait_until(lambda: len(receiver.requests) > before, timeout_s=30)
            answered: dict[str, Any] = post(second or world, response_id="second").json()
            receiver.gate.set()
            return asked.result(30), answered
