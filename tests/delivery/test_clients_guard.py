"""Where the HTTP clients connect to, and where they do not."""

import asyncio
import errno
import socket
import threading
import time
from ipaddress import ip_address
from typing import Any

import aiohttp
import pytest
from yarl import URL

from apps.common.egress import EgressPolicy
from apps.delivery.clients import batch_client, blocking, failures
from apps.delivery.clients.connecting import GuardedConnector
from apps.delivery.clients.exchange import Exchange, current_exchange
from apps.delivery.clients.failures import RefusedSocket
from apps.delivery.clients.lookups import DNS_THREADS
from apps.delivery.clients.tls import client_context
from apps.delivery.outcome import ErrorKind
from tests.delivery.http_clients import CLIENTS, Client, answer, post
from tests.delivery.http_clients import client as client
from tests.delivery.receiver import Receiver

# Receivers that hang do so for a minute.
SLACK_S = 20.0
PUBLIC = "93.184.215.14"
K = ErrorKind


class TestGuard:
    def test_refuses_a_literal_address(self, client: Client, receiver: Receiver) -> None:
        [outcome] = client(post(receiver.url()), policy=EgressPolicy())
        assert outcome.error_kind is K.BLOCKED
        assert "127.0.0.1" in outcome.error_message
        assert receiver.connections == outcome.sends == 0

    def test_refuses_a_name_for_it(self, client: Client, receiver: Receiver) -> None:
        [outcome] = client(post(receiver.url(host="localhost")), policy=EgressPolicy())
        assert outcome.error_kind is K.BLOCKED
        assert "localhost points to" in outcome.error_message
        assert receiver.connections == 0

    @pytest.mark.parametrize(
        "addresses",
        [
            ["127.0.0.1"],
            [PUBLIC, "127.0.0.1"],
            ["127.0.0.1", PUBLIC],
            ["::1"],
            ["::ffff:127.0.0.1"],
            ["64:ff9b::7f00:1"],
            ["2002:7f00:1::"],
            [PUBLIC, "169.254.169.254"],
            ["fe80::1%1"],
        ],
    )
    def test_refuses_the_whole_answer_of_a_resolver(
        self, client: Client, receiver: Receiver, addresses: list[str]
    ) -> None:
        [outcome] = client(
            post(receiver.url(host="hook.example")),
            policy=EgressPolicy(),
            resolve=lambda *_, **__: answer(*addresses),
        )
        assert outcome.error_kind is K.BLOCKED
        assert "hook.example points to" in outcome.error_message
        assert receiver.connections == 0

    def test_refuses_a_name_that_moved_after_it_was_saved(
        self, client: Client, receiver: Receiver
    ) -> None:
        answers = iter([answer(PUBLIC), answer("127.0.0.1")])

        def resolve(*_: Any, **__: Any) -> list[tuple[Any, ...]]:
            return next(answers)

        url = receiver.url(host="hook.example")
        assert EgressPolicy().resolve_and_vet(url, resolve=resolve) == (ip_address(PUBLIC),)
        [outcome] = client(post(url), policy=EgressPolicy(), resolve=resolve)
        assert outcome.error_kind is K.BLOCKED
        assert receiver.connections == 0

    def test_connects_to_the_very_address_that_it_vetted(
        self, client: Client, receiver: Receiver
    ) -> None:
        answers = iter([answer("127.0.0.1"), answer("10.0.0.1")])
        [outcome] = client(
            post(receiver.url(host="hook.example")), resolve=lambda *_, **__: next(answers)
        )
        assert outcome.status == 200
        assert receiver.requests[0].headers["Host"] == f"hook.example:{receiver.port}"
        assert next(answers) == answer("10.0.0.1"), "a second lookup was made"

    def test_tries_the_next_vetted_address(self, client: Client, receiver: Receiver) -> None:
        [outcome] = client(
            post(receiver.url(host="hook.example")),
            resolve=lambda *_, **__: answer("127.0.0.2", "127.0.0.1"),
        )
        assert outcome.status == 200

    def test_follows_no_redirect(self, client: Client, receiver: Receiver) -> None:
        [outcome] = client(post(receiver.url("/redirect")))
        assert outcome.status == 302
        assert outcome.header("location") == "http://10.0.0.1/"
        assert len(receiver.requests) == 1

    @pytest.mark.parametrize(
        "url",
        ["http://2130706433/", "http://0x7f.1/", "ftp://x/", "http://u:p@x/", "", "http://x:22/"],
    )
    def test_refuses_a_url_that_could_not_be_saved(self, client: Client, url: str) -> None:
        [outcome] = client(post(url))
        assert outcome.error_kind is K.BLOCKED
        assert outcome.sends == 0

    def test_of_sockets_holds_without_that_of_names(self) -> None:
        """aiohttp asks no resolver for a literal address, so the socket is a wall of its own."""

        async def connect() -> None:
            connector = GuardedConnector(
                EgressPolicy(),
                resolve=socket.getaddrinfo,
                ssl_context=client_context(),
            )
            async with connector:
                current_exchange.set(Exchange(started=0))
                request = aiohttp.ClientRequest("GET", URL("http://127.0.0.1:8000/"))
                await connector.connect(request, [], aiohttp.ClientTimeout())

        with pytest.raises(aiohttp.ClientConnectorError) as caught:
            asyncio.run(connect())
        assert isinstance(caught.value.os_error, RefusedSocket)


class TestNames:
    def test_that_do_not_exist_are_a_dns_error(self, client: Client) -> None:
        def resolve(*_: Any, **__: Any) -> list[Any]:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        [outcome] = client(post("http://nowhere.example/"), resolve=resolve)
        assert outcome.error_kind is K.DNS
        assert outcome.error_message == "The name nowhere.example can not be found."

    def test_without_addresses_are_a_dns_error(self, client: Client) -> None:
        [outcome] = client(post("http://nowhere.example/"), resolve=lambda *_, **__: [])
        assert outcome.error_kind is K.DNS

    def test_that_we_can_not_look_up_are_our_own_fault(self, client: Client) -> None:
        def resolve(*_: Any, **__: Any) -> list[Any]:
            raise socket.gaierror(socket.EAI_SYSTEM, "System error")

        [outcome] = client(post("http://hook.example/"), resolve=resolve)
        assert outcome.error_kind is K.LOCAL

    def test_whose_server_hangs_end_with_the_deadline(self, client: Client) -> None:
        released = threading.Event()

        def resolve(*_: Any, **__: Any) -> list[Any]:
            released.wait(10)
            return answer(PUBLIC)

        started = time.monotonic()
        threading.Timer(2.0, released.set).start()
        [outcome] = client(post("http://hook.example/", 0.5), resolve=resolve)
        assert outcome.error_kind is K.TIMEOUT
        assert time.monotonic() - started < SLACK_S

    def test_whose_server_hangs_keep_nobody_from_looking_up_others(
        self, client: Client, receiver: Receiver
    ) -> None:
        released = threading.Event()

        def resolve(host: str, *_: Any, **__: Any) -> list[Any]:
            if host == "hang.example":
                released.wait(60)
            return answer("127.0.0.1")

        hanging = [post("http://hang.example/", 0.01) for _ in range(DNS_THREADS + 1)]
        try:
            outcomes = client(*hanging, post(receiver.url(host="hook.example")), resolve=resolve)
        finally:
            released.set()
        assert {outcome.error_kind for outcome in outcomes[:-1]} == {K.TIMEOUT}
        assert outcomes[-1].status == 200


class TestConnecting:
    def test_to_a_closed_port_is_refused(self, client: Client) -> None:
        with socket.socket() as bound_but_deaf:
            bound_but_deaf.bind(("127.0.0.1", 0))
            port = bound_but_deaf.getsockname()[1]
            [outcome] = client(post(f"http://127.0.0.1:{port}/"))
        assert outcome.error_kind is K.REFUSED
        assert "refused" in outcome.error_message

    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_to_a_silent_port_ends_with_the_deadline(self, client: Client, scheme: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            started = time.monotonic()
            [outcome] = client(post(f"{scheme}://127.0.0.1:{port}/", 0.5))
        assert outcome.error_kind is K.TIMEOUT
        assert time.monotonic() - started < 0.5 + SLACK_S

    @pytest.mark.parametrize("name", CLIENTS)
    def test_has_a_shorter_deadline_of_its_own(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        short = aiohttp.ClientTimeout(total=None, sock_connect=0.3)
        monkeypatch.setattr(batch_client, "_TIMEOUT", short)
        monkeypatch.setattr(blocking, "CONNECT_TIMEOUT_S", 0.3)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            started = time.monotonic()
            [outcome] = CLIENTS[name](post(f"https://127.0.0.1:{port}/", 30.0))
        assert (outcome.error_kind, outcome.sends) == (K.TIMEOUT, 0)
        assert time.monotonic() - started < SLACK_S

    @pytest.mark.parametrize(
        ("number", "kind"),
        [
            (errno.ECONNREFUSED, K.REFUSED),
            (errno.EHOSTUNREACH, K.REFUSED),
            (errno.ENETUNREACH, K.REFUSED),
            (errno.ECONNRESET, K.CLOSED),
            (errno.ETIMEDOUT, K.TIMEOUT),
            (errno.EMFILE, K.LOCAL),
            (errno.EADDRNOTAVAIL, K.LOCAL),
            (errno.EIO, K.REFUSED),
        ],
    )
    def test_fails_for_whoever_is_at_fault(self, number: int, kind: ErrorKind) -> None:
        assert failures.connect_failure(OSError(number, "text"))[0] is kind
