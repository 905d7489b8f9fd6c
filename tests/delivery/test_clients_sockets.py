"""How the HTTP clients use, share and close their connections; TLS."""

import asyncio
import contextlib
import os
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
import uvloop

from apps.delivery.clients import batch_client, pool, waiting_client
from apps.delivery.outcome import ErrorKind, OutboundRequest, Outcome
from tests.common.processes import wait_until
from tests.delivery.http_clients import LOOPBACK, Client, answer, post
from tests.delivery.http_clients import client as client
from tests.delivery.receiver import Receiver, running_receiver
from tests.delivery.tls_authority import self_signed, server_context, trusting_context

if TYPE_CHECKING:
    from aiohttp.connector import Connection

# Receivers that hang do so for a minute.
SLACK_S = 20.0
PUBLIC = "93.184.215.14"
K = ErrorKind


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
        timeout_s = 0.8 if kind is K.TIMEOUT else 10.0
        started = time.monotonic()
        url = tls_receiver.url(f"/{path}")
        [outcome] = client(post(url, timeout_s), ssl_context=trusting_context(pem))
        assert outcome.error_kind == kind, outcome
        assert time.monotonic() - started < timeout_s + SLACK_S

    def test_keeps_a_connection(self, client: Client, tls_receiver: Receiver, pem: Path) -> None:
        client(*[post(tls_receiver.url())] * 3, ssl_context=trusting_context(pem))
        assert tls_receiver.connections == 1


class TestSockets:
    PATHS = ("hang", "drip-head", "drip-body", "gigabyte", "reset", "garbage", "partial-body")

    @pytest.mark.parametrize("over_tls", [False, True])
    def test_are_all_closed_when_a_session_is(
        self, client: Client, tmp_path: Path, over_tls: bool
    ) -> None:
        pem = self_signed(tmp_path, "127.0.0.1")
        with running_receiver(server_context(pem) if over_tls else None) as receiver:
            urls = [receiver.url(f"/{path}") for path in (*self.PATHS, "ok")]
            client(*[post(url, 0.3) for url in urls], ssl_context=trusting_context(pem))
            assert open_sockets_to(receiver.port) == 0

    @pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
    def test_of_a_broken_exchange_are_closed_at_once(
        self, tmp_path: Path, run: Callable[..., int]
    ) -> None:
        """A polite TLS close would wait 30 s for a receiver that hangs."""
        pem = self_signed(tmp_path, "127.0.0.1")

        async def count_after_a_timeout(url: str, port: int) -> int:
            session = batch_client.guarded_session(LOOPBACK, ssl_context=trusting_context(pem))
            async with session:
                outcome = await batch_client.send(session, post(url, 0.3))
                assert outcome.error_kind is K.TIMEOUT
                await asyncio.sleep(0.2)
                return open_sockets_to(port)

        released = threading.Event()

        def take_and_stall(listener: socket.socket) -> None:
            raw, _ = listener.accept()
            with server_context(pem).wrap_socket(raw, server_side=True) as connection:
                connection.recv(10_000)
                released.wait(20)

        with (
            socket.create_server(("127.0.0.1", 0)) as listener,
            ThreadPoolExecutor() as threads,
        ):
            threads.submit(take_and_stall, listener)
            port = listener.getsockname()[1]
            try:
                assert run(count_after_a_timeout(f"https://127.0.0.1:{port}/", port)) == 0
            finally:
                released.set()


def open_sockets_to(port: int) -> int:
    """How many sockets of this process are connected to a local port."""
    count = 0
    for number in map(int, os.listdir("/dev/fd")):
        with contextlib.suppress(OSError):
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                with socket.socket(fileno=os.dup(number)) as copy:
                    count += copy.getpeername()[1:2] == (port,)
    return count


def three_then_one(request: OutboundRequest) -> list[Outcome]:
    """Send three at the same time and one after them, with the engine's client."""

    async def send_all() -> list[Outcome]:
        async with batch_client.guarded_session(LOOPBACK) as session:
            together = (batch_client.send(session, request) for _ in range(3))
            return [
                *await asyncio.gather(*together),
                await batch_client.send(session, request),
            ]

    return asyncio.run(send_all())


def three_then_one_by_threads(request: OutboundRequest) -> list[Outcome]:
    """Do the same with the waiting client."""
    with waiting_client.waiting_session(LOOPBACK) as session, ThreadPoolExecutor(3) as threads:
        together = threads.map(partial(waiting_client.send, session), [request] * 3)
        return [*together, waiting_client.send(session, request)]


class TestManyAtOnce:
    def test_leave_their_connections_to_the_next(self, receiver: Receiver) -> None:
        async def send_twice() -> list[Outcome]:
            async with batch_client.guarded_session(LOOPBACK) as session:
                outcomes = []
                for _ in range(2):
                    together = [batch_client.send(session, post(receiver.url())) for _ in range(50)]
                    outcomes += await asyncio.gather(*together)
                return outcomes

        outcomes = asyncio.run(send_twice())
        assert [outcome.status for outcome in outcomes] == [200] * 100
        assert len(receiver.requests) == 100
        assert receiver.connections == 50

    def test_at_rest_for_long_are_closed(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pool, "KEEPALIVE_S", 0.1)

        async def send_and_rest() -> None:
            async with batch_client.guarded_session(LOOPBACK) as session:
                outcome = await batch_client.send(session, post(receiver.url()))
                assert outcome.status == 200
                assert open_sockets_to(receiver.port) == 1
                while open_sockets_to(receiver.port):
                    await asyncio.sleep(0.02)

        asyncio.run(asyncio.wait_for(send_and_rest(), 30))

    def test_take_the_newest_of_their_receiver_first(self) -> None:
        first, second, other = (cast("Connection", object()) for _ in range(3))
        origin = ("http", "127.0.0.1", 80)

        async def put_and_take() -> list["Connection | None"]:
            kept = pool.Pool(asyncio.get_running_loop())
            kept.put(origin, first)
            kept.put(origin, second)
            kept.put(("https", *origin[1:]), other)
            return [kept.take(origin) for _ in range(3)]

        assert asyncio.run(put_and_take()) == [second, first, None]

    @pytest.mark.parametrize("send_all", [three_then_one, three_then_one_by_threads])
    def test_are_sent_again_over_new_ones_where_the_kept_ones_die(
        self, receiver: Receiver, send_all: Callable[[OutboundRequest], list[Outcome]]
    ) -> None:
        *first, last = send_all(post(receiver.url("/ok-once-a-connection")))
        assert [(outcome.status, outcome.sends) for outcome in first] == [(200, 1)] * 3
        assert (last.status, last.sends) == (200, 2)

    def test_wait_for_none_that_hangs(self, receiver: Receiver) -> None:
        async def send_all() -> tuple[list[Outcome], list[Outcome]]:
            async with batch_client.guarded_session(LOOPBACK) as session:
                slow = [
                    asyncio.create_task(
                        batch_client.send(session, post(receiver.url("/gated"), 60.0))
                    )
                    for _ in range(20)
                ]
                quick = [await batch_client.send(session, post(receiver.url())) for _ in range(9)]
                assert not any(task.done() for task in slow)
                receiver.gate.set()
                return quick, await asyncio.gather(*slow)

        quick, slow = asyncio.run(send_all())
        assert {outcome.status for outcome in (*quick, *slow)} == {200}

    def test_can_be_cancelled(self, receiver: Receiver) -> None:
        async def cancel() -> None:
            async with batch_client.guarded_session(LOOPBACK) as session:
                task = asyncio.create_task(batch_client.send(session, post(receiver.url("/hang"))))
                await asyncio.sleep(0.2)
                task.cancel()
                await task

        with pytest.raises(asyncio.CancelledError):
            asyncio.run(cancel())

    def test_end_as_our_own_fault_when_the_session_closes(self, receiver: Receiver) -> None:
        async def close_early() -> Outcome:
            session = batch_client.guarded_session(LOOPBACK)
            task = asyncio.create_task(batch_client.send(session, post(receiver.url("/hang"))))
            await asyncio.sleep(0.2)
            await session.close()
            return await task

        assert asyncio.run(close_early()).error_kind is K.LOCAL

    def test_share_a_waiting_session_between_threads(self, receiver: Receiver) -> None:
        asked = [("/ok", 60.0), ("/hang", 1.0), ("/drip-body", 1.0), ("/created", 60.0)] * 5
        requests = [post(receiver.url(path), timeout_s) for path, timeout_s in asked]
        with (
            waiting_client.waiting_session(LOOPBACK) as session,
            ThreadPoolExecutor(len(requests)) as threads,
        ):
            outcomes = threads.map(partial(waiting_client.send, session), requests)
            kinds = [outcome.error_kind for outcome in outcomes]
        assert kinds == [None, K.TIMEOUT, K.TIMEOUT, None] * 5


class TestAWaitingSession:
    def test_keeps_so_many_connections_to_a_host(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(waiting_client, "POOLED_CONNECTIONS_PER_HOST", 2)
        receiver.gate.clear()
        with waiting_client.waiting_session(LOOPBACK) as session, ThreadPoolExecutor(5) as threads:
            sent = [
                threads.submit(waiting_client.send, session, post(receiver.url("/gated")))
                for _ in range(5)
            ]
            wait_until(lambda: len(receiver.requests) == 5)
            receiver.gate.set()
            assert [each.result().status for each in sent] == [200] * 5
            assert open_sockets_to(receiver.port) == 2
        assert open_sockets_to(receiver.port) == 0

    def test_forgets_the_host_that_was_used_longest_ago(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(waiting_client, "POOLED_HOSTS", 2)
        with waiting_client.waiting_session(
            LOOPBACK, resolve=lambda *_, **__: answer("127.0.0.1")
        ) as session:
            for host in ("a.example", "b.example", "a.example", "c.example", "a.example"):
                url = receiver.url(host=host)
                assert waiting_client.send(session, post(url)).status == 200
            assert open_sockets_to(receiver.port) == 2
        assert receiver.connections == 3
