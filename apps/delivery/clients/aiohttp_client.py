"""The client of the batch engine: many requests at once over pooled connections.

It uses aiohttp's connector (pool, happy eyeballs, TLS) and its response parser, and writes the
request itself. `ClientSession.request` takes 100 µs of processor time for a small POST where this
takes 60, and spends them on what is off here: redirects, cookies, proxies, netrc, middleware.
"""

import asyncio
import logging
import socket
import ssl
from dataclasses import dataclass
from functools import lru_cache, partial
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import aiohttp
from aiohttp import http_exceptions
from yarl import URL

from apps.common.egress import (
    MAX_SENT_URL_LENGTH,
    MAX_URL_LENGTH,
    EgressError,
    EgressPolicy,
)
from apps.delivery.clients import failures
from apps.delivery.clients.connecting import ConnectRequest, GuardedConnector
from apps.delivery.clients.deadlines import Deadlines
from apps.delivery.clients.exchange import (
    CONNECT_TIMEOUT_S,
    MAX_INTERIM_ANSWERS,
    Exchange,
    Resolve,
    current_exchange,
)
from apps.delivery.clients.failures import Failure
from apps.delivery.clients.tls import client_context
from apps.delivery.clients.wire import UnsendableRequest, encode_request
from apps.delivery.outcome import (
    MAX_BODY_BYTES,
    MAX_HEAD_BYTES,
    MAX_HEADER_LINE_BYTES,
    MAX_HEADERS,
    ErrorKind,
    OutboundRequest,
    Outcome,
)

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.connector import Connection
    from aiohttp.http_parser import RawResponseMessage
    from aiohttp.streams import StreamReader

logger = logging.getLogger(__name__)

# Bytes of an answer that a connection holds before it stops reading from its socket.
READ_BUFFER_BYTES: Final = 16_384
_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S)


async def send(session: "GuardedSession", request: OutboundRequest) -> Outcome:
    """Send one request and read the answer, all within `request.timeout_s`.

    Returns an Outcome whatever the receiver does; raises only when cancelled. A pooled connection
    that turns out to be dead before any byte came back is replaced once, within the same deadline:
    the receiver may then see the request twice, with the same `webhook-id`, and `sends` is 2.
    """
    started = perf_counter()
    exchange = Exchange(started, deadline=started + request.timeout_s)
    current_exchange.set(exchange)
    failure: Failure | None = None
    try:
        with session.deadlines.of(exchange):
            destination = session.destination(request.url)
            request_bytes = encode_request(
                request.method, destination.target, destination.host, request.headers, request.body
            )
            try:
                await session.exchange_once(request, destination, request_bytes, exchange)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
                if not _broke_unanswered(error) or not exchange.may_resend():
                    raise
                await session.exchange_once(request, destination, request_bytes, exchange)
    # One receiver's oddity, of whatever class, must not end the batch it is in.
    except Exception as error:  # noqa: BLE001
        failure = _explain(error, request, exchange, session)
    return exchange.outcome(failure)


def guarded_session(
    policy: EgressPolicy,
    *,
    limit_per_host: int = 0,
    resolve: Resolve = socket.getaddrinfo,
    ssl_context: ssl.SSLContext | None = None,
) -> "GuardedSession":
    """Open a session; call it inside a running loop, and close it there.

    `limit_per_host` bounds connections to one host and port, 0 for none: the engine bounds the
    concurrency of each webhook, and many accounts may share one host. Time spent waiting for a
    connection counts against the deadline of the request.
    """
    connector = GuardedConnector(
        policy,
        resolve=resolve,
        ssl_context=ssl_context or client_context(),
        limit_per_host=limit_per_host,
    )
    return GuardedSession(policy, connector)


@dataclass(frozen=True, slots=True)
class Destination:
    """A checked URL in the forms that a request needs.

    `connect_request` only tells aiohttp's connector where to connect; it is never sent.
    """

    connect_request: ConnectRequest
    target: str
    host: str


class GuardedSession:
    """Pooled connections under one policy; no redirects, cookies, proxies or decompression."""

    def __init__(self, policy: EgressPolicy, connector: GuardedConnector) -> None:
        self._policy = policy
        self._connector = connector
        self._loop = asyncio.get_running_loop()
        self.deadlines = Deadlines(self._loop)
        self._kept = lru_cache(maxsize=4096)(self._destination)

    def destination(self, url: str) -> Destination:
        """Return where a URL leads; long ones, whose query is a payload, are not kept.

        Raises EgressError.
        """
        return self._kept(url) if len(url) <= MAX_URL_LENGTH else self._destination(url)

    def _destination(self, url: str) -> Destination:
        target = self._policy.check_url(url, longest=MAX_SENT_URL_LENGTH)
        checked = URL(target.url, encoded=True)
        return Destination(
            connect_request=ConnectRequest("GET", checked, loop=self._loop),
            target=checked.raw_path_qs,
            host=checked.host_port_subcomponent or "",
        )

    async def exchange_once(
        self,
        request: OutboundRequest,
        destination: Destination,
        request_bytes: bytes,
        exchange: Exchange,
    ) -> None:
        """Write the request to one connection and read the answer into the exchange."""
        connection = await self._connect(destination, exchange)
        exchange.sends += 1
        try:
            protocol = connection.protocol
            transport = connection.transport
            if protocol is None or transport is None or transport.is_closing():
                raise aiohttp.ServerDisconnectedError
            protocol.set_response_params(
                skip_payload=request.method == "HEAD",
                read_until_eof=True,
                auto_decompress=False,
                read_bufsize=READ_BUFFER_BYTES,
                max_line_size=MAX_HEADER_LINE_BYTES,
                max_field_size=MAX_HEADER_LINE_BYTES,
                max_headers=MAX_HEADERS,
            )
            transport.write(request_bytes)
            content = await _read_head(protocol, exchange)
            await _read_body(protocol, content, exchange)
        except BaseException:
            _drop(connection)
            raise
        if exchange.body_truncated or protocol.should_close:
            _drop(connection)
        else:
            connection.release()

    async def _connect(self, destination: Destination, exchange: Exchange) -> "Connection":
        while True:
            exchange.connecting = False
            connection = await self._connector.connect(destination.connect_request, [], _TIMEOUT)
            # After a pooled connection that was dead, the others are likely to be so. And one on
            # which something arrived unasked would answer with that.
            is_trusted = exchange.connecting or not exchange.sends
            protocol = connection.protocol
            if is_trusted and protocol is not None and not protocol.should_close:
                return connection
            _drop(connection)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._connector.closed

    async def close(self) -> None:
        """Close all connections; requests still under way end with `ErrorKind.LOCAL`."""
        await self._connector.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


def _drop(connection: "Connection") -> None:
    """Close at once: a polite TLS close would hold the socket for as long as the peer likes."""
    if connection.transport is not None:
        connection.transport.abort()
    connection.close()


# --- Reading the answer --------------------------------------------------------------------------


async def _read_head(protocol: "ResponseHandler", exchange: Exchange) -> "StreamReader":
    message, content = await protocol.read()
    interim = 0
    while 100 <= message.code < 200 and message.code != 101:
        interim += 1
        if interim > MAX_INTERIM_ANSWERS:
            raise http_exceptions.BadHttpMessage("too many interim answers")
        message, content = await protocol.read()
    if message.version.major != 1:
        raise http_exceptions.BadStatusLine(f"HTTP/{message.version.major}")
    exchange.first_byte_ms = exchange.elapsed_ms()
    exchange.headers = _decode_headers(message)
    exchange.status = message.code
    return content


def _decode_headers(message: "RawResponseMessage") -> list[tuple[str, str]]:
    """The headers as text; the parser has refused control characters."""
    size = sum(len(name) + len(value) for name, value in message.raw_headers)
    if size > MAX_HEAD_BYTES:
        raise http_exceptions.LineTooLong("head", MAX_HEAD_BYTES)
    return [
        (name.decode("utf-8", "replace"), value.decode("utf-8", "replace"))
        for name, value in message.raw_headers
    ]


async def _read_body(
    protocol: "ResponseHandler", content: "StreamReader", exchange: Exchange
) -> None:
    """Read to the end, or to `MAX_BODY_BYTES` and no further; keeps what came before an error."""
    # Nearly always the whole body has come with the head.
    body = content.read_nowait(MAX_BODY_BYTES + 1)
    if not content.at_eof() and len(body) <= MAX_BODY_BYTES:
        body = await _read_slow_body(protocol, content, exchange, body)
    exchange.body_truncated = len(body) > MAX_BODY_BYTES
    exchange.body = body[:MAX_BODY_BYTES]


async def _read_slow_body(
    protocol: "ResponseHandler", content: "StreamReader", exchange: Exchange, first: bytes
) -> bytes:
    """Wait for the rest of a body, up to one byte over the limit."""
    body = bytearray(first)
    end_content = partial(_end_content, protocol, content)
    closed = protocol.closed
    if closed is None:
        end_content()
    else:
        closed.add_done_callback(end_content)
    try:
        while len(body) <= MAX_BODY_BYTES:
            part = await content.read(MAX_BODY_BYTES + 1 - len(body))
            if not part:
                break
            body += part
    finally:
        exchange.body = bytes(body[:MAX_BODY_BYTES])
        if closed is not None and not closed.done():
            closed.remove_done_callback(end_content)
            closed.remove_done_callback(_note_error)
            closed.add_done_callback(_note_error)
    return bytes(body)


def _end_content(
    protocol: "ResponseHandler",
    content: "StreamReader",
    closed: "asyncio.Future[None] | None" = None,
) -> None:
    """Wake the reader of a body whose connection is gone.

    aiohttp leaves it waiting when the parser gives up in the middle of a chunked body.
    """
    if closed is not None:
        _note_error(closed)
    if not content.is_eof() and content.exception() is None:
        content.set_exception(protocol.exception() or aiohttp.ClientPayloadError())


def _note_error(closed: "asyncio.Future[None]") -> None:
    """Keep asyncio from reporting an error that nobody asked the future for."""
    if not closed.cancelled():
        closed.exception()


# --- Explaining failures -------------------------------------------------------------------------


def _broke_unanswered(error: aiohttp.ServerDisconnectedError | aiohttp.ClientOSError) -> bool:
    """Whether an open connection ended without a byte of an answer."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return False
    # ServerDisconnectedError carries the half-read head when one had arrived.
    return isinstance(getattr(error, "message", ""), str)


def _explain(
    error: Exception, request: OutboundRequest, exchange: Exchange, session: GuardedSession
) -> Failure:
    match error:
        case EgressError():
            return failures.egress_failure(error)
        case UnsendableRequest():
            return ErrorKind.PROTOCOL, f"The request can not be sent: {error}."
        case aiohttp.ClientConnectorDNSError():
            return failures.dns_failure(error.host, error.os_error)
        case aiohttp.ClientConnectorCertificateError():
            return failures.tls_failure(error.certificate_error)
        case aiohttp.ClientConnectorSSLError():
            return failures.tls_failure(error.os_error)
        case aiohttp.ClientConnectorError():
            return failures.connect_failure(error.os_error)
        case TimeoutError() if exchange.elapsed_ms() < request.timeout_s * 1000:
            return ErrorKind.TIMEOUT, exchange.describe_timeout(CONNECT_TIMEOUT_S)
        case TimeoutError():
            return ErrorKind.TIMEOUT, exchange.describe_timeout(request.timeout_s)
        case http_exceptions.HttpProcessingError():
            return _explain_head(error)
        case aiohttp.ClientPayloadError():
            return ErrorKind.CLOSED, failures.CLOSED_IN_BODY
        case ssl.SSLError():
            return failures.tls_failure(error)
        case _ if session.closed:
            return ErrorKind.LOCAL, "Hookline was stopping."
        case aiohttp.ServerDisconnectedError() | OSError() if exchange.status is None:
            return ErrorKind.CLOSED, failures.CLOSED_EARLY
        case aiohttp.ServerDisconnectedError() | OSError():
            return ErrorKind.CLOSED, failures.CLOSED_IN_BODY
        case _:
            logger.warning("Unexpected failure of an exchange", exc_info=error)
            return ErrorKind.PROTOCOL, f"The exchange failed: {type(error).__name__}."


def _explain_head(error: http_exceptions.HttpProcessingError) -> Failure:
    # The parser's own error is the cause of the one that aiohttp reports.
    too_long = isinstance(error.__cause__ or error, http_exceptions.LineTooLong)
    if too_long or "Too many headers" in error.message:
        return ErrorKind.TOO_LARGE, failures.HEAD_TOO_LARGE
    return ErrorKind.PROTOCOL, failures.NOT_HTTP
