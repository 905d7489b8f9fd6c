"""The client for the one request that somebody waits for: the IVR exchange and “Send test”.

The same guard, limits and outcomes as the batch engine's client, in the calling thread. It writes
the request by itself and reads the answer with `http.client`: of a millisecond of processor time
for a small POST, `requests` took two thirds, for what is off here.
"""

import http.client
import logging
import socket
import ssl
import threading
from collections import OrderedDict
from contextlib import closing
from functools import lru_cache
from time import perf_counter
from types import TracebackType
from typing import Final, NamedTuple, Self

from apps.common.egress import (
    MAX_SENT_URL_LENGTH,
    MAX_URL_LENGTH,
    EgressError,
    EgressPolicy,
    ParsedTarget,
)
from apps.delivery.clients import failures
from apps.delivery.clients.blocking import AnySocket, Dialer, ExchangeFailed, FinalAnswer
from apps.delivery.clients.exchange import Exchange, Resolve, current_exchange
from apps.delivery.clients.failures import Failure, printable
from apps.delivery.clients.lookups import Lookups
from apps.delivery.clients.tls import client_context
from apps.delivery.clients.wire import UnsendableRequest, encode_request
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


class Destination(NamedTuple):
    """A checked URL, and how its request names host and resource."""

    checked: ParsedTarget
    host: str
    resource: str


class WaitingSession:
    """Pooled connections under one policy; no redirects, cookies, proxies or decompression."""

    def __init__(self, policy: EgressPolicy, resolve: Resolve, ssl_context: ssl.SSLContext) -> None:
        self._policy = policy
        self._lookups = Lookups(resolve)
        self._dialer = Dialer(policy, self._lookups, ssl_context)
        self._pool = _Pool()
        self._kept = lru_cache(maxsize=4096)(self._destination)

    def destination(self, url: str) -> Destination:
        """Return where a URL leads; long ones, whose query is a payload, are not kept.

        Raises EgressError.
        """
        return self._kept(url) if len(url) <= MAX_URL_LENGTH else self._destination(url)

    def _destination(self, url: str) -> Destination:
        checked = self._policy.check_url(url, longest=MAX_SENT_URL_LENGTH)
        host, _, resource = checked.url.partition("://")[2].partition("/")
        return Destination(checked, host, f"/{resource}")

    def connect(self, target: ParsedTarget, exchange: Exchange) -> AnySocket:
        """Return a kept connection that is fit for use, or else a new one."""
        exchange.connecting = False
        key = _key_of(target)
        if exchange.sends:
            # After a kept connection that was dead, the others are likely to be so.
            self._pool.drop(key)
            return self._dialer.dial(target, exchange)
        return self._pool.take(key) or self._dialer.dial(target, exchange)

    def keep(self, target: ParsedTarget, connection: AnySocket) -> None:
        """Take back a connection whose answer was read to its end."""
        self._pool.put(_key_of(target), connection)

    def close(self) -> None:
        """Close pooled connections and let the resolver's threads go."""
        self._pool.close()
        self._lookups.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


_Key = tuple[str, str, int]


def _key_of(target: ParsedTarget) -> _Key:
    return target.scheme, target.host, target.port


class _Pool:
    """Connections at rest, of the hosts that were used last; the newest of a host goes first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at_rest: OrderedDict[_Key, list[AnySocket]] = OrderedDict()

    def take(self, key: _Key) -> AnySocket | None:
        while True:
            with self._lock:
                found = self._at_rest.get(key)
                if not found:
                    return None
                connection = found.pop()
            if connection.is_fit:
                return connection
            connection.close()

    def put(self, key: _Key, connection: AnySocket) -> None:
        """Keep a connection, unless its host has enough; let the oldest host go for a new one."""
        with self._lock:
            found = self._at_rest.setdefault(key, [])
            self._at_rest.move_to_end(key)
            beyond = [connection] if len(found) >= POOLED_CONNECTIONS_PER_HOST else []
            if not beyond:
                found.append(connection)
            if len(self._at_rest) > POOLED_HOSTS:
                beyond += self._at_rest.popitem(last=False)[1]
        for each in beyond:
            each.close()

    def drop(self, key: _Key) -> None:
        """Close what is at rest of a host."""
        with self._lock:
            found = self._at_rest.pop(key, [])
        for each in found:
            each.close()

    def close(self) -> None:
        with self._lock:
            kept = [each for found in self._at_rest.values() for each in found]
            self._at_rest.clear()
        for each in kept:
            each.close()


# --- One exchange --------------------------------------------------------------------------------


def _try_once(
    session: WaitingSession, request: OutboundRequest, exchange: Exchange
) -> Failure | None:
    try:
        _exchange_once(session, request, exchange)
    # Whatever a receiver or a library comes up with, the caller gets an Outcome.
    except Exception as error:  # noqa: BLE001
        return _explain(error, request, exchange)
    return None


def _exchange_once(session: WaitingSession, request: OutboundRequest, exchange: Exchange) -> None:
    """Write the request to one connection and read the answer into the exchange."""
    exchange.received = 0
    target, host, resource = session.destination(request.url)
    data = encode_request(request.method, resource, host, request.headers, request.body)
    connection = session.connect(target, exchange)
    may_be_kept = False
    try:
        exchange.sends += 1
        connection.sendall(data)
        # Its end tells the socket that it is at rest, and whether more came than belonged to it.
        with closing(FinalAnswer(connection, method=request.method)) as answer:
            answer.begin()
            exchange.first_byte_ms = exchange.elapsed_ms()
            _check_head(answer)
            exchange.status = answer.status
            exchange.headers = [
                (printable(name), printable(_repair(value)))
                for name, value in answer.headers.items()
            ]
            _read_body(answer, exchange)
        is_other_protocol = answer.status == http.client.SWITCHING_PROTOCOLS
        may_be_kept = not (answer.will_close or exchange.body_truncated or is_other_protocol)
    finally:
        if may_be_kept:
            session.keep(target, connection)
        else:
            connection.close()


def _check_head(answer: FinalAnswer) -> None:
    sizes = [len(name) + len(value) for name, value in answer.headers.items()]
    if sum(sizes) > MAX_HEAD_BYTES or max(sizes, default=0) > MAX_HEADER_LINE_BYTES:
        raise ExchangeFailed((ErrorKind.TOO_LARGE, failures.HEAD_TOO_LARGE))


def _repair(value: str) -> str:
    """A header's value read as Latin-1 by `http.client`, read as UTF-8 instead."""
    return (
        value if value.isascii() else value.encode("latin-1", "replace").decode("utf-8", "replace")
    )


def _read_body(answer: FinalAnswer, exchange: Exchange) -> None:
    """Read to the end, or to `MAX_BODY_BYTES` and no further; keeps what came before an error."""
    body = bytearray()
    try:
        while len(body) <= MAX_BODY_BYTES:
            part = answer.read1(MAX_BODY_BYTES + 1 - len(body))
            if not part:
                if answer.length:
                    raise http.client.IncompleteRead(b"", answer.length)
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
