"""Sockets that only reach vetted addresses and never outlive a deadline, and answers from them.

A timeout bounds each read from a socket, not a whole exchange: a receiver that drips a byte a
second would hold it for ever. Here the socket itself knows the deadline of the exchange it serves.
"""

import http.client
import io
import re
import select
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, cast

from apps.common.egress import EgressError, EgressPolicy, ParsedTarget
from apps.common.egress_proxy import EgressProxy
from apps.common.special_addresses import IPAddress
from apps.delivery.clients import failures
from apps.delivery.clients.exchange import (
    CONNECT_TIMEOUT_S,
    MAX_INTERIM_ANSWERS,
    Exchange,
    current_exchange,
)
from apps.delivery.clients.failures import Failure
from apps.delivery.clients.lookups import Lookups
from apps.delivery.clients.tunnels import dig_tunnel, way_to
from apps.delivery.outcome import MAX_HEAD_BYTES, MAX_HEADER_LINE_BYTES, ErrorKind

if TYPE_CHECKING:
    _SocketBase = socket.socket
else:
    _SocketBase = object

_CHUNK_SIZE: Final = re.compile(rb"[0-9A-Fa-f]{1,16}[ \t]*(?:;.*)?\r?\n", re.S)


class ExchangeFailed(Exception):
    """An explained failure, on its way past all that knows other errors."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure[1])
        self.failure = failure


@dataclass(frozen=True)
class Dialer:
    """Opens sockets to vetted addresses, and gives up at the deadline."""

    policy: EgressPolicy
    lookups: Lookups
    ssl_context: ssl.SSLContext

    def __post_init__(self) -> None:
        """Have the context, which is ours alone, make sockets that know deadlines."""
        self.ssl_context.sslsocket_class = DeadlineTLSSocket

    def dial(self, target: ParsedTarget, exchange: Exchange) -> "AnySocket":
        """Connect to the first address that answers, all of them vetted before, by TLS if wanted.

        Raises ExchangeFailed; a blocked address among several refuses them all.
        """
        exchange.connecting = True
        started = perf_counter()
        sock: AnySocket = self._reach(target.host, target.port, exchange)
        if target.scheme == "https":
            sock = self._secure(sock, target.host)
        exchange.connect_ms = (perf_counter() - started) * 1000 - (exchange.dns_ms or 0.0)
        return sock

    def _reach(self, host: str, port: int, exchange: Exchange) -> "DeadlineSocket":
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
        answer = self.lookups.ask(host, port, within_s=exchange.remaining_s())
        return self.policy.vet_answer(host, [info[4][0] for info in answer])

    def _secure(self, sock: socket.socket, host: str) -> "DeadlineTLSSocket":
        """Shake hands; the context verifies the certificate, and that it is for the host."""
        try:
            return cast(DeadlineTLSSocket, self.ssl_context.wrap_socket(sock, server_hostname=host))
        except OSError as error:
            sock.close()
            raise ExchangeFailed(failures.connect_failure(error)) from error


def _connect(
    addresses: Sequence[IPAddress], port: int, exchange: Exchange, proxy: EgressProxy | None
) -> "DeadlineSocket":
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

    @property
    def is_fit(self) -> bool:
        """Whether a kept connection can be used: open, with nothing arrived unasked."""
        if self.has_leftovers or (isinstance(self, ssl.SSLSocket) and self.pending()):
            return False
        arrived = select.poll()
        arrived.register(self, select.POLLIN)
        return not arrived.poll(0)

    def makefile(self, *args: Any, **kwargs: Any) -> Any:
        self.at_rest = False
        return _Answer(self, cast(io.RawIOBase, super().makefile("rb", buffering=0)))


class DeadlineSocket(_Deadlined, socket.socket):
    """A plain socket that ends with its exchange."""


class DeadlineTLSSocket(_Deadlined, ssl.SSLSocket):
    """A TLS socket that ends with its exchange."""


AnySocket = DeadlineSocket | DeadlineTLSSocket


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


class FinalAnswer(http.client.HTTPResponse):
    """An answer read strictly, without the interim ones (103 and others) that may precede it."""

    def begin(self) -> None:
        super().begin()
        lengths = set(self.headers.get_all("Content-Length", ()))
        if not all(length.isascii() and length.isdigit() for length in lengths):
            raise MalformedHead("Content-Length")
        if len(lengths) + ("Transfer-Encoding" in self.headers) > 1:
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

    def _read_next_chunk_size(self) -> int:
        line = self.fp.readline(MAX_HEADER_LINE_BYTES)
        if not _CHUNK_SIZE.fullmatch(line):
            raise MalformedHead("the size of a chunk")
        return int(line.partition(b";")[0], 16)
