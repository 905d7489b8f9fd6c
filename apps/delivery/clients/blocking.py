"""urllib3 connections that only reach vetted addresses, and never outlive a deadline.

`requests` bounds each read from a socket, not a whole exchange: a receiver that drips a byte a
second holds it for ever. Here the socket itself knows the deadline of the exchange it serves.
"""

import http.client
import io
import socket
import ssl
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, cast

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from apps.common.egress import EgressError, EgressPolicy
from apps.common.egress_proxy import EgressProxy
from apps.common.special_addresses import IPAddress
from apps.delivery.clients import failures
from apps.delivery.clients.exchange import (
    CONNECT_TIMEOUT_S,
    MAX_INTERIM_ANSWERS,
    Exchange,
    Resolve,
    current_exchange,
)
from apps.delivery.clients.failures import Failure
from apps.delivery.clients.tunnels import dig_tunnel, way_to
from apps.delivery.outcome import MAX_HEAD_BYTES, ErrorKind

if TYPE_CHECKING:
    _SocketBase = socket.socket
else:
    _SocketBase = object

DNS_THREADS: Final = 8


class ExchangeFailed(Exception):
    """An explained failure on its way out of urllib3, which only wraps errors that it knows."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure[1])
        self.failure = failure


@dataclass(frozen=True)
class Dialer:
    """Opens sockets to vetted addresses; `dns_threads` let a lookup be given up at the deadline."""

    policy: EgressPolicy
    resolve: Resolve
    dns_threads: ThreadPoolExecutor

    def dial(self, host: str, port: int, exchange: Exchange) -> socket.socket:
        """Connect to the first address that answers, all of them vetted before.

        Raises ExchangeFailed; a blocked address among several refuses them all.
        """
        started = perf_counter()
        try:
            addresses = self._look_up(host, port, exchange)
        except EgressError as error:
            raise ExchangeFailed(failures.egress_failure(error)) from error
        except TimeoutError as error:
            text = f"The name {host} was not found in time."
            raise ExchangeFailed((ErrorKind.TIMEOUT, text)) from error
        except (OSError, UnicodeError) as error:
            raise ExchangeFailed(failures.dns_failure(host, error)) from error
        finally:
            exchange.dns_ms = (perf_counter() - started) * 1000
        return _connect(addresses, port, exchange, self.policy.proxy)

    def _look_up(self, host: str, port: int, exchange: Exchange) -> Sequence[IPAddress]:
        lookup = partial(self.resolve, host, port, type=socket.SOCK_STREAM)
        answer = self.dns_threads.submit(lookup).result(exchange.remaining_s())
        return self.policy.vet_answer(host, [info[4][0] for info in answer])


def _connect(
    addresses: Sequence[IPAddress], port: int, exchange: Exchange, proxy: EgressProxy | None
) -> socket.socket:
    give_up_at = min(exchange.deadline, perf_counter() + CONNECT_TIMEOUT_S)
    last_error: OSError = TimeoutError()
    for address in dict.fromkeys(addresses):
        remaining = give_up_at - perf_counter()
        if remaining <= 0:
            break
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        where: tuple[Any, ...] = (str(address), port)
        try:
            if proxy is not None:
                family, where = way_to(proxy)
            sock = DeadlineSocket(family, socket.SOCK_STREAM)
        except OSError as error:
            raise ExchangeFailed(failures.connect_failure(error)) from error
        try:
            sock.settimeout(remaining)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if proxy is None:
                sock.connect(where)
            else:
                dig_tunnel(sock, proxy, where, address, port)
        except OSError as error:
            sock.close()
            last_error = error
            continue
        # What is left bounds the TLS handshake, which takes the timeout of its socket.
        sock.settimeout(max(give_up_at - perf_counter(), 0.001))
        return sock
    raise ExchangeFailed(failures.connect_failure(last_error)) from last_error


# --- Sockets -------------------------------------------------------------------------------------


class _Deadlined(_SocketBase):
    """Before each wait, a socket asks the current exchange how long it may take.

    `at_rest` is set between two answers, when nothing is to be read; `has_leftovers` when more
    came with an answer than belonged to it, which the next request would take for its own.
    """

    at_rest = False
    has_leftovers = False

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        if self.at_rest:
            return 0
        exchange = current_exchange.get()
        self.settimeout(exchange.remaining_s())
        size = super().recv_into(*args, **kwargs)
        exchange.received += size
        if exchange.status is None and exchange.received > 2 * MAX_HEAD_BYTES:
            raise ExchangeFailed((ErrorKind.TOO_LARGE, failures.HEAD_TOO_LARGE))
        return size

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self.settimeout(current_exchange.get().remaining_s())
        super().sendall(*args, **kwargs)

    def makefile(self, *args: Any, **kwargs: Any) -> Any:
        self.at_rest = False
        return _Answer(self, cast(io.RawIOBase, super().makefile("rb", buffering=0)))


class DeadlineSocket(_Deadlined, socket.socket):
    """A plain socket that ends with its exchange."""


class DeadlineTLSSocket(_Deadlined, ssl.SSLSocket):
    """A TLS socket that ends with its exchange."""


class _Answer(io.BufferedReader):
    """The bytes of one answer; `http.client` closes it at the end of the body."""

    def __init__(self, sock: _Deadlined, raw: io.RawIOBase) -> None:
        super().__init__(raw)
        self._sock = sock

    def close(self) -> None:
        try:
            if not self.closed:
                self._sock.at_rest = True
                self._sock.has_leftovers = bool(self.peek())
        except OSError:
            # After a timeout nothing can be read any more, and nothing will be.
            self._sock.has_leftovers = True
        finally:
            super().close()

    def readline(self, size: int | None = -1, /) -> bytes:
        """Refuse a line cut short by the end: `http.client` takes its head for a complete one."""
        line = super().readline(size)
        if line.endswith(b"\n") or len(line) == size:
            return line
        raise http.client.RemoteDisconnected("closed in the middle of a line")


class MalformedHead(http.client.HTTPException):
    """A head that `http.client` would make some sense of, and other clients another."""


class _FinalAnswer(http.client.HTTPResponse):
    """An answer read strictly, without the interim ones (103 and others) that may precede it."""

    def begin(self) -> None:
        super().begin()
        length = self.headers.get("Content-Length")
        if length is not None and not (length.isascii() and length.isdigit()):
            raise MalformedHead("Content-Length")
        if length is not None and "Transfer-Encoding" in self.headers:
            raise MalformedHead("two ways to frame the body")
        if self.headers.defects or any("\0" in value for value in self.headers.values()):
            raise MalformedHead("a line that is no header")

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(MAX_INTERIM_ANSWERS + 1):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 100 <= status < 200 or status == 101:
                return version, status, reason
            http.client.parse_headers(self.fp)
        raise http.client.BadStatusLine("too many interim answers")


# --- urllib3 -------------------------------------------------------------------------------------


class _Guarded(HTTPConnection):
    """What both connection classes add to urllib3's."""

    dialer: Dialer
    response_class = _FinalAnswer

    def _new_conn(self) -> socket.socket:
        exchange = current_exchange.get()
        return self.dialer.dial(self.host, self.port, exchange)

    def connect(self) -> None:
        exchange = current_exchange.get()
        exchange.connecting = True
        started = perf_counter()
        try:
            super().connect()
        except (ssl.SSLError, urllib3.exceptions.SSLError) as error:
            raise ExchangeFailed(failures.tls_failure(error)) from error
        except OSError as error:
            raise ExchangeFailed(failures.connect_failure(error)) from error
        exchange.connect_ms = (perf_counter() - started) * 1000 - (exchange.dns_ms or 0.0)

    @property
    def is_connected(self) -> bool:
        """Whether a pooled connection is fit for use: open, with nothing arrived unasked."""
        if getattr(self.sock, "has_leftovers", False):
            return False
        if isinstance(self.sock, ssl.SSLSocket) and self.sock.pending():
            return False
        return super().is_connected

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        current_exchange.get().sends += 1
        super().request(*args, **kwargs)


class GuardedHTTPConnection(_Guarded):
    """A connection to a vetted address."""


class GuardedHTTPSConnection(_Guarded, HTTPSConnection):
    """A connection to a vetted address, where the certificate is checked for the name."""


class _DialingPool(urllib3.HTTPConnectionPool):
    ConnectionCls: type[Any] = GuardedHTTPConnection

    def __init__(self, *args: Any, dialer: Dialer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._dialer = dialer

    def _new_conn(self) -> Any:
        connection = cast(_Guarded, super()._new_conn())
        connection.dialer = self._dialer
        return connection


class _DialingTLSPool(_DialingPool, urllib3.HTTPSConnectionPool):
    ConnectionCls: type[Any] = GuardedHTTPSConnection


def guarded_pools(dialer: Dialer, *, hosts: int, connections_per_host: int) -> urllib3.PoolManager:
    """Pools for `hosts` hosts; beyond `connections_per_host`, connections are not kept."""
    pools = urllib3.PoolManager(num_pools=hosts, maxsize=connections_per_host, block=False)
    pools.pool_classes_by_scheme = {
        "http": cast(Any, partial(_DialingPool, dialer=dialer)),
        "https": cast(Any, partial(_DialingTLSPool, dialer=dialer)),
    }
    return pools
