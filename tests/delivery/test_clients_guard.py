"""Where the HTTP clients connect to, and where they do not; how they share connections."""

import asyncio
import errno
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from apps.common.egress import EgressPolicy
from apps.delivery.clients import aiohttp_client, failures, requests_client
from apps.delivery.clients.connecting import GuardedConnector
from apps.delivery.clients.exchange import Exchange, current_exchange
from apps.delivery.clients.failures import RefusedSocket
from apps.delivery.clients.tls import client_context
from apps.delivery.outcome import ErrorKind, Outcome
from tests.delivery.http_clients import CLIENTS, LOOPBACK, Client, answer, post
from tests.delivery.receiver import Receiver, running_receiver
from tests.delivery.tls_authority import self_signed, server_context, trusting_context

SLACK_S = 5.0
PUBLIC = "93.184.215.14"
K = ErrorKind


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> Client:
    return CLIENTS[request.param]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


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
                limit_per_host=0,
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


class TestTLS:
    @pytest.fixture
    def pem(self, tmp_path: Path) -> Path:
        return self_signed(tmp_path, "127.0.0.1", "hook.example")

    @pytest.fixture
    def tls_receiver(self, pem: Path) -> Iterator[Receiver]:
        with running_receiver(server_context(pem)) as running:
            yield running

    def test_refuses_an_unknown_authority(self, client: Client, tls_receiver: Receiver) -> None:
        [outcome] = client(post(tls_receiver.url()))
        assert outcome.error_kind is K.TLS
        assert "self-signed certificate" in outcome.error_message
        assert tls_receiver.requests == []

    def test_accepts_a_known_one(self, client: Client, tls_receiver: Receiver, pem: Path) -> None:
        outcomes = client(
            *[post(tls_receiver.url("/created"))] * 2, ssl_context=trusting_context(pem)
        )
        assert [outcome.status for outcome in outcomes] == [201, 201]
        assert len(tls_receiver.requests) == 2

    def test_checks_the_name_not_the_address(
        self, client: Client, tls_receiver: Receiver, pem: Path
    ) -> None:
        right, wrong = client(
            post(tls_receiver.url(host="hook.example")),
            post(tls_receiver.url(host="other.example")),
            ssl_context=trusting_context(pem),
            resolve=lambda *_, **__: answer("127.0.0.1"),
        )
        assert right.status == 200
        assert wrong.error_kind is K.TLS
        assert "other.example" in wrong.error_message

    def test_needs_a_server_that_speaks_it(self, client: Client) -> None:
        with running_receiver() as plain:
            url = f"https://127.0.0.1:{plain.port}/"
            [outcome] = client(post(url, 1.0))
        assert outcome.error_kind in {K.TLS, K.TIMEOUT, K.CLOSED}

    @pytest.mark.parametrize(
        ("path", "kind"),
        [
            ("hang", K.TIMEOUT),
            ("drip-head", K.TIMEOUT),
            ("drip-body", K.TIMEOUT),
            ("reset", K.CLOSED),
            ("silent-close", K.CLOSED),
            ("partial-body", K.CLOSED),
            ("gigabyte", None),
        ],
    )
    def test_has_the_same_outcomes(
        self,
        client: Client,
        tls_receiver: Receiver,
        pem: Path,
        path: str,
        kind: ErrorKind | None,
    ) -> None:
        started = time.monotonic()
        url = tls_receiver.url(f"/{path}")
        [outcome] = client(post(url, 0.8), ssl_context=trusting_context(pem))
        assert outcome.error_kind == kind, outcome
        assert time.monotonic() - started < 0.8 + SLACK_S

    def test_keeps_a_connection(self, client: Client, tls_receiver: Receiver, pem: Path) -> None:
        client(*[post(tls_receiver.url())] * 3, ssl_context=trusting_context(pem))
        assert tls_receiver.connections == 1


class TestManyAtOnce:
    def test_share_the_connections_of_a_host(self, receiver: Receiver) -> None:
        async def send_all() -> list[Outcome]:
            async with aiohttp_client.guarded_session(LOOPBACK, limit_per_host=4) as session:
                request = post(receiver.url())
                return await asyncio.gather(
                    *(aiohttp_client.send(session, request) for _ in range(100))
                )

        outcomes = asyncio.run(send_all())
        assert [outcome.status for outcome in outcomes] == [200] * 100
        assert len(receiver.requests) == 100
        assert receiver.connections <= 4

    def test_wait_for_none_that_hangs(self, receiver: Receiver) -> None:
        async def send_all() -> tuple[list[Outcome], list[Outcome]]:
            async with aiohttp_client.guarded_session(LOOPBACK) as session:
                slow = [
                    asyncio.create_task(
                        aiohttp_client.send(session, post(receiver.url("/hang"), 2.0))
                    )
                    for _ in range(20)
                ]
                quick = [await aiohttp_client.send(session, post(receiver.url())) for _ in range(9)]
                assert not any(task.done() for task in slow)
                return quick, await asyncio.gather(*slow)

        quick, slow = asyncio.run(send_all())
        assert {outcome.status for outcome in quick} == {200}
        assert {outcome.error_kind for outcome in slow} == {K.TIMEOUT}

    def test_can_be_cancelled(self, receiver: Receiver) -> None:
        async def cancel() -> None:
            async with aiohttp_client.guarded_session(LOOPBACK) as session:
                task = asyncio.create_task(
                    aiohttp_client.send(session, post(receiver.url("/hang")))
                )
                await asyncio.sleep(0.2)
                task.cancel()
                await task

        with pytest.raises(asyncio.CancelledError):
            asyncio.run(cancel())

    def test_end_as_our_own_fault_when_the_session_closes(self, receiver: Receiver) -> None:
        async def close_early() -> Outcome:
            session = aiohttp_client.guarded_session(LOOPBACK)
            task = asyncio.create_task(aiohttp_client.send(session, post(receiver.url("/hang"))))
            await asyncio.sleep(0.2)
            await session.close()
            return await task

        assert asyncio.run(close_early()).error_kind is K.LOCAL

    def test_share_a_waiting_session_between_threads(self, receiver: Receiver) -> None:
        paths = ["/ok", "/hang", "/drip-body", "/created"] * 5
        with (
            requests_client.waiting_session(LOOPBACK) as session,
            ThreadPoolExecutor(len(paths)) as threads,
        ):
            outcomes = threads.map(
                lambda path: requests_client.send(session, post(receiver.url(path), 1.0)), paths
            )
            kinds = [outcome.error_kind for outcome in outcomes]
        assert kinds == [None, K.TIMEOUT, K.TIMEOUT, None] * 5
