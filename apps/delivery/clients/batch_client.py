"""The client of the batch engine: many requests at once over pooled connections.

aiohttp's connector makes the connections (look-ups, happy eyeballs, TLS); what goes over them is
written here and read by `AnswerProtocol`. aiohttp's session takes 160 µs of processor time for a
small POST where this takes 45, and spends them on what is off here: redirects, cookies, netrc,
middleware, streams.
"""

import asyncio
import logging
import socket
import ssl
from dataclasses import dataclass
from functools import lru_cache
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, cast

import aiohttp
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
    Exchange,
    Resolve,
    current_exchange,
)
from apps.delivery.clients.failures import Failure
from apps.delivery.clients.pool import Origin, Pool, drop
from apps.delivery.clients.tls import client_context
from apps.delivery.clients.wire import UnsendableRequest, encode_request
from apps.delivery.outcome import ErrorKind, OutboundRequest, Outcome

if TYPE_CHECKING:
    from aiohttp.connector import Connection

    from apps.delivery.clients.answers import AnswerProtocol

logger = logging.getLogger(__name__)

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
    try:
        with session.deadlines.of(exchange):
            failure = await session.exchange(request, exchange)
    # One receiver's oddity, of whatever class, must not end the batch it is in.
    except Exception as error:  # noqa: BLE001
        # The deadline may pass in the very turn of the loop that brings the end of the answer.
        failure = None if exchange.is_whole else _explain(error, request, exchange, session)
    return exchange.outcome(failure)


def guarded_session(
    policy: EgressPolicy,
    *,
    resolve: Resolve = socket.getaddrinfo,
    ssl_context: ssl.SSLContext | None = None,
) -> "GuardedSession":
    """Open a session; call it inside a running loop, and close it there.

    Nothing bounds the connections to one host: the engine bounds the concurrency of each webhook,
    and many accounts may share one host.
    """
    connector = GuardedConnector(
        policy,
        resolve=resolve,
        ssl_context=ssl_context or client_context(),
    )
    return GuardedSession(policy, connector)


@dataclass(frozen=True, slots=True)
class Destination:
    """A checked URL in the forms that a request needs.

    `connect_request` only tells aiohttp's connector where to connect; it is never sent.
    """

    connect_request: ConnectRequest
    origin: Origin
    target: str
    host: str


class GuardedSession:
    """Pooled connections under one policy; no redirects, cookies, proxies or decompression."""

    def __init__(self, policy: EgressPolicy, connector: GuardedConnector) -> None:
        self._policy = policy
        self._connector = connector
        self._loop = asyncio.get_running_loop()
        self._pool = Pool(self._loop)
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
            origin=(target.scheme, target.host, target.port),
            target=checked.raw_path_qs,
            host=checked.host_port_subcomponent or "",
        )

    async def exchange(self, request: OutboundRequest, exchange: Exchange) -> Failure | None:
        """Write the request and read the answer into the exchange; None is a complete answer.

        Raises what stands in the way of a request or a connection.
        """
        destination = self.destination(request.url)
        request_bytes = encode_request(
            request.method, destination.target, destination.host, request.headers, request.body
        )
        is_head = request.method == "HEAD"
        failure = await self._exchange_once(destination, request_bytes, exchange, is_head)
        if failure is not None and failure[0] is ErrorKind.CLOSED:
            if self.closed:
                return failures.STOPPING
            if exchange.may_resend():
                failure = await self._exchange_once(destination, request_bytes, exchange, is_head)
        return failure

    async def _exchange_once(
        self, destination: Destination, request_bytes: bytes, exchange: Exchange, is_head: bool
    ) -> Failure | None:
        connection = await self._connect(destination, exchange)
        protocol = cast("AnswerProtocol", connection.protocol)
        exchange.sends += 1
        failure: Failure | None = failures.STOPPING
        try:
            failure = await protocol.ask(request_bytes, exchange, has_no_body=is_head)
        finally:
            protocol.stop(exchange)
            if failure is None and protocol.is_fit and not self.closed:
                self._pool.put(destination.origin, connection)
            else:
                drop(connection)
        return failure

    async def _connect(self, destination: Destination, exchange: Exchange) -> "Connection":
        exchange.connecting = False
        if exchange.sends:
            # After a pooled connection that was dead, the others are likely to be so.
            self._pool.drop(destination.origin)
        while connection := self._pool.take(destination.origin):
            protocol = cast("AnswerProtocol", connection.protocol)
            if protocol.is_fit and protocol.is_connected() and protocol.is_quiet():
                return connection
            drop(connection)
        return await self._connector.connect(destination.connect_request, [], _TIMEOUT)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._connector.closed

    async def close(self) -> None:
        """Close all connections; requests still under way end with `ErrorKind.LOCAL`."""
        self._pool.close()
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


# --- Explaining failures -------------------------------------------------------------------------


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
        case _ if session.closed:
            return failures.STOPPING
        case _:
            logger.warning("Unexpected failure of an exchange", exc_info=error)
            return ErrorKind.PROTOCOL, f"The exchange failed: {type(error).__name__}."
