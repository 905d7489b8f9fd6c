"""The client for the one request that somebody waits for: the IVR exchange and “Send test”.

The same guard, limits and outcomes as the batch engine's client, in the calling thread.
"""

import http.client
import logging
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import DefaultCookiePolicy
from time import perf_counter
from types import TracebackType
from typing import Any, Final, Self

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar

from apps.common.egress import MAX_SENT_URL_LENGTH, EgressError, EgressPolicy
from apps.delivery.clients import failures
from apps.delivery.clients.blocking import (
    DNS_THREADS,
    DeadlineTLSSocket,
    Dialer,
    ExchangeFailed,
    guarded_pools,
)
from apps.delivery.clients.exchange import (
    CONNECT_TIMEOUT_S,
    Exchange,
    Resolve,
    current_exchange,
)
from apps.delivery.clients.failures import Failure, printable
from apps.delivery.clients.tls import client_context
from apps.delivery.clients.wire import (
    UnsendableRequest,
    check_method,
    check_value,
    missing_defaults,
)
from apps.delivery.outcome import (
    MAX_BODY_BYTES,
    MAX_HEAD_BYTES,
    MAX_HEADER_LINE_BYTES,
    ErrorKind,
    OutboundRequest,
    Outcome,
)

logger = logging.getLogger(__name__)

POOLED_HOSTS: Final = 64
POOLED_CONNECTIONS_PER_HOST: Final = 16


def send(session: "WaitingSession", request: OutboundRequest) -> Outcome:
    """Send one request and read the answer, all within `request.timeout_s`.

    Returns an Outcome whatever the receiver does. A pooled connection that turns out to be dead
    before any byte came back is replaced once, and `sends` is then 2.
    """
    started = perf_counter()
    exchange = Exchange(started=started, deadline=started + request.timeout_s)
    current_exchange.set(exchange)
    failure = _try_once(session, request, exchange)
    if failure is not None and failure[0] is ErrorKind.CLOSED and exchange.may_resend():
        failure = _try_once(session, request, exchange)
    return exchange.outcome(failure)


def waiting_session(
    policy: EgressPolicy,
    *,
    resolve: Resolve = socket.getaddrinfo,
    ssl_context: ssl.SSLContext | None = None,
) -> "WaitingSession":
    """Open a session, which threads may share; `ssl_context` becomes its own."""
    return WaitingSession(policy, resolve, ssl_context or client_context())


class WaitingSession:
    """Pooled connections under one policy; no redirects, cookies, proxies or decompression."""

    def __init__(self, policy: EgressPolicy, resolve: Resolve, ssl_context: ssl.SSLContext) -> None:
        self.policy = policy
        self._dns_threads = ThreadPoolExecutor(DNS_THREADS, thread_name_prefix="dns")
        adapter = _GuardedAdapter(Dialer(policy, resolve, self._dns_threads), ssl_context)
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers.clear()
        self.http.cookies = RequestsCookieJar(DefaultCookiePolicy(allowed_domains=[]))
        for prefix in ("https://", "http://"):
            self.http.mount(prefix, adapter)

    def close(self) -> None:
        """Close pooled connections and let the resolver's threads go."""
        self.http.close()
        self._dns_threads.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class _GuardedAdapter(HTTPAdapter):
    """Takes its connections from guarded pools, with one TLS context for all."""

    def __init__(self, dialer: Dialer, ssl_context: ssl.SSLContext) -> None:
        self._dialer = dialer
        self._ssl_context = ssl_context
        self._ssl_context.sslsocket_class = DeadlineTLSSocket
        super().__init__(POOLED_HOSTS, POOLED_CONNECTIONS_PER_HOST)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any
    ) -> None:
        self.poolmanager = guarded_pools(
            self._dialer, hosts=connections, connections_per_host=maxsize
        )

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {"ssl_context": self._ssl_context, "cert_reqs": "CERT_REQUIRED"}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Nothing to do: the context verifies, against its own authorities."""


# --- One exchange --------------------------------------------------------------------------------


def _try_once(
    session: WaitingSession, request: OutboundRequest, exchange: Exchange
) -> Failure | None:
    try:
        _exchange_once(session, request, exchange)
    # Whatever a receiver or a library comes up with, the caller gets an Outcome.
    except Exception as error:  # noqa: BLE001
        failure = _explain(error, request, exchange)
        # urllib3 closes a pool when it is forgotten; the frames of an error would remember it.
        for cause in _causes(error):
            cause.__traceback__ = None
        return failure
    return None


def _exchange_once(session: WaitingSession, request: OutboundRequest, exchange: Exchange) -> None:
    exchange.connecting = False
    exchange.received = 0
    url = session.policy.check_url(request.url, longest=MAX_SENT_URL_LENGTH).url
    response = session.http.request(
        request.method,
        url,
        headers=_encode_headers(request),
        data=request.body,
        allow_redirects=False,
        stream=True,
        timeout=(CONNECT_TIMEOUT_S, request.timeout_s),
    )
    try:
        exchange.first_byte_ms = exchange.elapsed_ms()
        _check_head(response.raw)
        exchange.status = response.status_code
        exchange.headers = [
            (printable(name), printable(_repair(value)))
            for name, value in response.raw.headers.items()
        ]
        _read_body(response.raw, exchange)
    finally:
        # Gives a connection back to the pool only when the body was read to its end.
        response.close()


def _encode_headers(request: OutboundRequest) -> dict[str, bytes]:
    """All headers as bytes: `http.client` would send text as Latin-1. Raises UnsendableRequest."""
    check_method(request.method)
    headers = dict(missing_defaults(tuple(request.headers)))
    for name, value in request.headers.items():
        check_value(name, value)
        headers[name] = value
    return {name: value.encode("utf-8", "replace") for name, value in headers.items()}


def _check_head(raw: urllib3.BaseHTTPResponse) -> None:
    sizes = [len(name) + len(value) for name, value in raw.headers.items()]
    if sum(sizes) > MAX_HEAD_BYTES or max(sizes, default=0) > MAX_HEADER_LINE_BYTES:
        raise ExchangeFailed((ErrorKind.TOO_LARGE, failures.HEAD_TOO_LARGE))


def _repair(value: str) -> str:
    """A header's value read as Latin-1 by `http.client`, read as UTF-8 instead."""
    return value.encode("latin-1", "replace").decode("utf-8", "replace")


def _read_body(raw: urllib3.BaseHTTPResponse, exchange: Exchange) -> None:
    """Read to the end, or to `MAX_BODY_BYTES` and no further; keeps what came before an error."""
    body = bytearray()
    try:
        while len(body) <= MAX_BODY_BYTES:
            part = raw.read1(MAX_BODY_BYTES + 1 - len(body), decode_content=False)
            if not part:
                return
            body += part
        exchange.body_truncated = True
    finally:
        exchange.body = bytes(body[:MAX_BODY_BYTES])


# --- Explaining failures -------------------------------------------------------------------------


def _explain(error: Exception, request: OutboundRequest, exchange: Exchange) -> Failure:
    if isinstance(error, EgressError):
        return failures.egress_failure(error)
    if isinstance(error, UnsendableRequest):
        return ErrorKind.PROTOCOL, f"The request can not be sent: {error}."
    if perf_counter() >= exchange.deadline:
        return ErrorKind.TIMEOUT, exchange.describe_timeout(request.timeout_s)
    chain = _causes(error)
    for cause in chain:
        if isinstance(cause, ExchangeFailed):
            return cause.failure
    for cause in chain:
        match cause:
            case ssl.SSLError():
                return failures.tls_failure(cause)
            case http.client.LineTooLong():
                return ErrorKind.TOO_LARGE, failures.HEAD_TOO_LARGE
            case http.client.IncompleteRead() | ConnectionError():
                early = exchange.status is None
                text = failures.CLOSED_EARLY if early else failures.CLOSED_IN_BODY
                return ErrorKind.CLOSED, text
            case http.client.HTTPException() if "headers" in str(cause):
                return ErrorKind.TOO_LARGE, failures.HEAD_TOO_LARGE
            case http.client.HTTPException() | ValueError():
                return ErrorKind.PROTOCOL, failures.NOT_HTTP
            case TimeoutError():
                return ErrorKind.TIMEOUT, exchange.describe_timeout(request.timeout_s)
    logger.warning("Unexpected failure of an exchange", exc_info=error)
    return ErrorKind.PROTOCOL, f"The exchange failed: {type(error).__name__}."


def _causes(error: BaseException) -> list[BaseException]:
    """The errors that libraries wrapped, the innermost first."""
    chain: list[BaseException] = []
    seen: BaseException | None = error
    while seen is not None and seen not in chain:
        chain.append(seen)
        seen = seen.__cause__ or seen.__context__
    return chain[::-1]
