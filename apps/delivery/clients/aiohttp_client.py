"""The client of the batch engine: many requests at once over pooled connections.

Every connection is vetted when it is made, by two walls. The resolver vets all addresses of a
name before the connector sees any of them. The socket factory vets the address of each socket, so
that a literal address, for which aiohttp asks no resolver, can not slip past.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache, partial
from ipaddress import ip_address
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import aiohttp
from aiohttp import http_exceptions
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from apps.common.egress import BlockedAddress, EgressError, EgressPolicy, UnresolvableHost
from apps.delivery.clients import failures
from apps.delivery.clients.failures import Failure, RefusedSocket, printable
from apps.delivery.clients.tls import client_context
from apps.delivery.outcome import (
    MAX_BODY_BYTES,
    MAX_HEADER_LINE_BYTES,
    MAX_HEADERS,
    RESERVED_HEADERS,
    ErrorKind,
    OutboundRequest,
    Outcome,
    Timings,
)

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.connector import AddrInfoType, Connection
    from aiohttp.tracing import Trace

logger = logging.getLogger(__name__)

Resolve = Callable[..., Sequence[Any]]
"""Has the signature and the answers of `socket.getaddrinfo`."""

CONNECT_TIMEOUT_S: Final = 5.0
KEEPALIVE_S: Final = 15.0
DNS_TTL_S: Final = 10
# A name server that hangs holds a thread for its time; others must find one free.
DNS_THREADS: Final = 32
READ_BUFFER_BYTES: Final = 16_384
USER_AGENT: Final = "Hookline"
# Sent unless the request says otherwise. Bodies are stored as they come, so none is compressed.
DEFAULT_HEADERS: Final = {
    "User-Agent": USER_AGENT,
    "Accept": "*/*",
    "Accept-Encoding": "identity",
}


async def send(session: "GuardedSession", request: OutboundRequest) -> Outcome:
    """Send one request and read the answer, all within `request.timeout_s`.

    Returns an Outcome whatever the receiver does; raises only when cancelled. A pooled connection
    that turns out to be dead before any byte came back is replaced once, within the same deadline:
    the receiver may then see the request twice, with the same `webhook-id`, and `sends` is 2.
    """
    exchange = _Exchange(started=perf_counter())
    _current.set(exchange)
    failure: Failure | None = None
    try:
        async with asyncio.timeout(request.timeout_s):
            url = session.vetted_url(request.url)
            _refuse_reserved_headers(request)
            while True:
                try:
                    await _exchange_once(session.http, request, url, exchange)
                except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
                    if not _may_resend(error, exchange):
                        raise
                else:
                    break
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
    return GuardedSession(policy, limit_per_host, resolve, ssl_context or client_context())


class GuardedSession:
    """A connection pool that only reaches what its policy lets through.

    No redirects, cookies, proxies or netrc from the environment, and no decompression.
    """

    def __init__(
        self,
        policy: EgressPolicy,
        limit_per_host: int,
        resolve: Resolve,
        ssl_context: ssl.SSLContext,
    ) -> None:
        self._policy = policy
        self._resolver = _VettingResolver(policy, resolve)
        connector = _GuardedConnector(
            resolver=self._resolver,
            socket_factory=self._open_socket,
            ssl=ssl_context,
            limit=0,
            limit_per_host=limit_per_host,
            keepalive_timeout=KEEPALIVE_S,
            ttl_dns_cache=DNS_TTL_S,
        )
        self.http = aiohttp.ClientSession(
            connector=connector,
            headers=DEFAULT_HEADERS,
            skip_auto_headers=("Content-Type",),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
            trust_env=False,
            auto_decompress=False,
            requote_redirect_url=False,
            read_bufsize=READ_BUFFER_BYTES,
            max_line_size=MAX_HEADER_LINE_BYTES,
            max_field_size=MAX_HEADER_LINE_BYTES,
            max_headers=MAX_HEADERS,
        )
        # aiohttp would silently send a PUT twice, even over a new connection; see `_may_resend`.
        self.http._retry_connection = False
        self.vetted_url = lru_cache(maxsize=4096)(self._vetted_url)

    def _vetted_url(self, url: str) -> URL:
        """Raises EgressError."""
        return URL(self._policy.check_url(url).url, encoded=True)

    def _open_socket(self, address_info: "AddrInfoType") -> socket.socket:
        family, kind, protocol, _, address = address_info
        try:
            self._policy.vet_address(ip_address(address[0]))
        except BlockedAddress as blocked:
            raise RefusedSocket(blocked) from blocked
        return socket.socket(family, kind, protocol)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self.http.closed

    async def close(self) -> None:
        """Close all connections; requests still under way end with `ErrorKind.LOCAL`."""
        await self.http.close()
        await self._resolver.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


# --- One exchange --------------------------------------------------------------------------------


@dataclass(slots=True)
class _Exchange:
    """What is known so far about one request; `perf_counter` seconds and milliseconds.

    Filled in by `send`, the connector and the resolver, which cost nothing when a pooled
    connection is used; aiohttp's tracing would cost every request.
    """

    started: float
    sends: int = 0
    reused: bool = False
    connecting: bool = False
    dns_ms: float | None = None
    connect_ms: float | None = None
    first_byte_ms: float | None = None
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    body_truncated: bool = False

    def elapsed_ms(self) -> float:
        return (perf_counter() - self.started) * 1000

    def outcome(self, failure: Failure | None) -> Outcome:
        kind, message = failure or (None, "")
        timings = Timings(
            total_ms=self.elapsed_ms(),
            dns_ms=self.dns_ms,
            connect_ms=self.connect_ms,
            first_byte_ms=self.first_byte_ms,
        )
        return Outcome(
            status=self.status,
            headers=self.headers,
            body=self.body,
            body_truncated=self.body_truncated,
            error_kind=kind,
            error_message=message,
            timings=timings,
            sends=self.sends,
        )


_current: ContextVar[_Exchange] = ContextVar("current_exchange")


async def _exchange_once(
    http: aiohttp.ClientSession, request: OutboundRequest, url: URL, exchange: _Exchange
) -> None:
    response = await http.request(
        request.method,
        url,
        headers=request.headers,
        data=request.body or None,
        allow_redirects=False,
    )
    exchange.first_byte_ms = exchange.elapsed_ms()
    exchange.status = response.status
    exchange.headers = tuple(
        (printable(name), printable(value)) for name, value in response.raw_headers
    )
    try:
        await _read_body(response, exchange)
    finally:
        # Gives a connection back to the pool only when the body was read to its end.
        response.release()


async def _read_body(response: aiohttp.ClientResponse, exchange: _Exchange) -> None:
    body = bytearray()
    try:
        while chunk := await response.content.read(MAX_BODY_BYTES + 1 - len(body)):
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                exchange.body_truncated = True
                response.close()
                return
    finally:
        exchange.body = bytes(body[:MAX_BODY_BYTES])


def _may_resend(
    error: aiohttp.ServerDisconnectedError | aiohttp.ClientOSError, exchange: _Exchange
) -> bool:
    """Whether the failure is a pooled connection that the server had closed meanwhile."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return False
    # Set to the half-read head when one had arrived.
    answered = not isinstance(getattr(error, "message", ""), str)
    return exchange.reused and exchange.sends == 1 and exchange.status is None and not answered


def _refuse_reserved_headers(request: OutboundRequest) -> None:
    for name in request.headers:
        if name.lower() in RESERVED_HEADERS:
            raise ValueError(f"the header {name} is set by Hookline itself")


def _explain(
    error: Exception, request: OutboundRequest, exchange: _Exchange, session: GuardedSession
) -> Failure:
    match error:
        case EgressError():
            return failures.egress_failure(error)
        case aiohttp.ClientConnectorDNSError():
            return ErrorKind.DNS, f"The name {error.host} can not be found."
        case aiohttp.ClientConnectorCertificateError():
            return failures.tls_failure(error.certificate_error)
        case aiohttp.ClientConnectorSSLError():
            return failures.tls_failure(error.os_error)
        case aiohttp.ClientConnectorError():
            return failures.connect_failure(error.os_error)
        case aiohttp.ConnectionTimeoutError():
            text = failures.TIMED_OUT_CONNECTING.format(seconds=CONNECT_TIMEOUT_S)
            return ErrorKind.TIMEOUT, text
        case TimeoutError():
            return ErrorKind.TIMEOUT, _describe_timeout(request, exchange)
        case aiohttp.ClientResponseError():
            return _explain_head(error)
        case aiohttp.ClientPayloadError():
            return _explain_body(error)
        case ssl.SSLError():
            return failures.tls_failure(error)
        case _ if session.closed:
            return ErrorKind.LOCAL, "Hookline was stopping."
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientOSError() | OSError():
            return ErrorKind.CLOSED, failures.CLOSED_EARLY
        case aiohttp.InvalidURL() | ValueError() | TypeError():
            return ErrorKind.PROTOCOL, f"The request can not be sent: {printable(str(error), 200)}."
        case _:
            logger.warning("Unexpected failure of a receiver", exc_info=error)
            return ErrorKind.PROTOCOL, f"The exchange failed: {type(error).__name__}."


def _describe_timeout(request: OutboundRequest, exchange: _Exchange) -> str:
    limit = f"{request.timeout_s:g} s"
    if exchange.status is not None:
        return f"The answer began but was not complete within {limit}."
    if exchange.sends:
        return f"No answer within {limit}."
    if exchange.connecting:
        return f"No connection within {limit}."
    return f"No free connection to the host within {limit}."


def _explain_head(error: aiohttp.ClientResponseError) -> Failure:
    if isinstance(error.__cause__, http_exceptions.LineTooLong):
        return ErrorKind.TOO_LARGE, failures.HEAD_TOO_LARGE
    return ErrorKind.PROTOCOL, failures.NOT_HTTP


def _explain_body(error: aiohttp.ClientPayloadError) -> Failure:
    if isinstance(error.__cause__, http_exceptions.TransferEncodingError):
        return ErrorKind.PROTOCOL, "The body of the answer is not valid HTTP."
    return ErrorKind.CLOSED, failures.CLOSED_IN_BODY


# --- Connecting ----------------------------------------------------------------------------------


class _GuardedConnector(aiohttp.TCPConnector):
    """Tells the exchange whether its connection is new, and how long that took."""

    async def connect(
        self, req: aiohttp.ClientRequest, traces: "list[Trace]", timeout: aiohttp.ClientTimeout
    ) -> "Connection":
        exchange = _current.get()
        exchange.connecting = False
        connection = await super().connect(req, traces, timeout)
        exchange.reused = not exchange.connecting
        exchange.sends += 1
        return connection

    async def _create_connection(
        self, req: aiohttp.ClientRequest, traces: "list[Trace]", timeout: aiohttp.ClientTimeout
    ) -> "ResponseHandler":
        exchange = _current.get()
        exchange.connecting = True
        started = perf_counter()
        protocol = await super()._create_connection(req, traces, timeout)
        elapsed_ms = (perf_counter() - started) * 1000
        exchange.connect_ms = elapsed_ms - (exchange.dns_ms or 0.0)
        return protocol


class _VettingResolver(AbstractResolver):
    """Asks the system resolver in threads of its own and lets only vetted answers through."""

    def __init__(self, policy: EgressPolicy, resolve: Resolve) -> None:
        self._policy = policy
        self._resolve = resolve
        self._threads = ThreadPoolExecutor(DNS_THREADS, thread_name_prefix="dns")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises BlockedAddress if any address is not allowed, and UnresolvableHost for none."""
        exchange = _current.get()
        started = perf_counter()
        lookup = partial(self._resolve, host, port, family=family, type=socket.SOCK_STREAM)
        try:
            answer = await asyncio.get_running_loop().run_in_executor(self._threads, lookup)
        except (OSError, UnicodeError) as error:
            raise UnresolvableHost(f"The name {host} can not be found.") from error
        finally:
            exchange.dns_ms = (perf_counter() - started) * 1000
        addresses = self._policy.vet_answer(host, [info[4][0] for info in answer])
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in dict.fromkeys(addresses)
        ]

    async def close(self) -> None:
        """Let the threads go; a lookup under way ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)
