"""What the batch client reads, and over which connections: what the shared tests do not ask."""

import asyncio
import time
from collections.abc import Callable

import pytest
import uvloop

from apps.delivery.clients import batch_client
from apps.delivery.clients.exchange import Exchange
from apps.delivery.clients.failures import Failure
from apps.delivery.outcome import ErrorKind, OutboundRequest, Outcome
from tests.delivery.http_clients import LOOPBACK, post
from tests.delivery.receiver import Receiver
from tests.delivery.receiver.answers import OK, always
from tests.delivery.receiver.behaviours import BEHAVIOURS
from tests.delivery.receiver.requests import Received

K = ErrorKind
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"
INTERIM = b"HTTP/1.1 150 Wait\r\nContent-Length: %d\r\n\r\nHELLO"
# More than comes in one piece.
MUCH = 600_000


def sent(*requests: OutboundRequest, between: Callable[[], None] = lambda: None) -> list[Outcome]:
    """Send one request after the other; what is `between` them keeps the loop busy."""

    async def send_all() -> list[Outcome]:
        outcomes = []
        async with batch_client.guarded_session(LOOPBACK) as session:
            for request in requests:
                outcomes.append(await batch_client.send(session, request))
                between()
        return outcomes

    return uvloop.run(send_all())


@pytest.mark.parametrize(
    ("raw", "status", "body", "kind"),
    [
        (INTERIM % 5 + OK, 200, b"ok", None),
        (INTERIM % 100, None, b"", K.CLOSED),
        (INTERIM % (MUCH + 5) + b"A" * MUCH, None, b"", K.TOO_LARGE),
        (HEAD + b"Transfer-Encoding: chunked \r\n\r\n5\r\nhel", 200, b"hel", K.CLOSED),
        (HEAD + b"Content-Length : 9\r\n\r\nhel", 200, b"hel", K.CLOSED),
        (HEAD + b"Transfer-Encoding: xchunked\r\n\r\nhel", 200, b"hel", None),
        (HEAD + b"Transfer-Encoding: chunked, gzip\r\n\r\nhel", 200, b"hel", None),
        (CHUNKED + b"1;" + b"x" * MUCH, 200, b"ok", K.TOO_LARGE),
        (CHUNKED + b"0\r\nX-A: " + b"x" * MUCH, 200, b"ok", K.TOO_LARGE),
        (CHUNKED + b"0\r\n" + b"X-A: b\r\n" * 1_000, 200, b"ok", K.TOO_LARGE),
        (CHUNKED + b"0\r\n" + b"X-A: b\r\n" * 100 + b"\r\n", 200, b"ok", None),
    ],
)
def test_answers_are_told_apart(
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    raw: bytes,
    status: int | None,
    body: bytes,
    kind: ErrorKind | None,
) -> None:
    monkeypatch.setitem(BEHAVIOURS, "raw", always(raw, then_close=True))

    [outcome] = sent(post(receiver.url("/raw")))

    assert (outcome.status, outcome.body, outcome.error_kind) == (status, body, kind)


def test_blanks_around_a_header_are_not_part_of_it(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = HEAD + b"X-A:\t a b \t\r\nContent-Length: 0\r\n\r\n"
    monkeypatch.setitem(BEHAVIOURS, "raw", always(raw))

    [outcome] = sent(post(receiver.url("/raw")))

    assert outcome.header("x-a") == "a b"


class TestAConnection:
    def test_that_goes_on_talking_is_cut(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cut = asyncio.Event()

        async def talk(_: Receiver, __: Received, writer: asyncio.StreamWriter) -> None:
            writer.write(OK)
            try:
                while True:
                    await asyncio.sleep(0.01)
                    writer.write(b"more")
                    await writer.drain()
            except ConnectionError:
                cut.set()
                raise

        monkeypatch.setitem(BEHAVIOURS, "talk", talk)

        async def send_and_wait() -> Outcome:
            async with batch_client.guarded_session(LOOPBACK) as session:
                outcome = await batch_client.send(session, post(receiver.url("/talk")))
                while not cut.is_set():
                    await asyncio.sleep(0.01)
                return outcome

        assert asyncio.run(asyncio.wait_for(send_and_wait(), 30)).status == 200

    def test_is_not_taken_with_bytes_that_the_loop_has_not_read(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def poison(_: Receiver, __: Received, writer: asyncio.StreamWriter) -> None:
            writer.write(OK)
            await asyncio.sleep(0.02)
            writer.write(b"HTTP/1.1 500 Poison\r\nContent-Length: 0\r\n\r\n")

        monkeypatch.setitem(BEHAVIOURS, "poison", poison)

        outcomes = sent(
            post(receiver.url("/poison")),
            post(receiver.url()),
            between=lambda: time.sleep(0.3),
        )

        assert [(each.status, each.sends) for each in outcomes] == [(200, 1)] * 2

    def test_is_not_kept_where_a_body_may_follow_that_there_must_not_be(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        raw = b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"
        monkeypatch.setitem(BEHAVIOURS, "raw", always(raw))

        outcomes = sent(post(receiver.url("/raw")), post(receiver.url()))

        assert [outcome.status for outcome in outcomes] == [204, 200]
        assert receiver.connections == 2

    def test_is_not_kept_while_its_request_is_not_read(self) -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)

        async def send_both() -> list[int | None]:
            server = await asyncio.start_server(answer, "127.0.0.1", 0, limit=1_000)
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            async with server, batch_client.guarded_session(LOOPBACK) as session:
                large = OutboundRequest("POST", url, body=b"x" * 20_000_000)
                outcomes = [await batch_client.send(session, each) for each in (large, post(url))]
                return [outcome.status for outcome in outcomes]

        assert asyncio.run(send_both()) == [200, 200]


def test_an_answer_that_is_whole_when_its_deadline_passes_counts(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange_whole = batch_client.GuardedSession.exchange

    async def exchange_late(
        self: batch_client.GuardedSession, request: OutboundRequest, exchange: Exchange
    ) -> Failure | None:
        await exchange_whole(self, request, exchange)
        raise TimeoutError

    monkeypatch.setattr(batch_client.GuardedSession, "exchange", exchange_late)

    [outcome] = sent(post(receiver.url()))

    assert (outcome.status, outcome.body, outcome.error_kind) == (200, b"ok", None)
