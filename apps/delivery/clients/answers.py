"""Connections of the batch client: a request is written, and its answer is read as it comes in.

httptools reads the bytes, with the parser of Node.js; what is kept of them, what is too much, and
whether the connection may be used again is decided here.
"""

import asyncio
import select
import ssl
from collections.abc import Sequence
from typing import Final, cast

import httptools

from apps.delivery.clients import failures
from apps.delivery.clients.exchange import MAX_INTERIM_ANSWERS, Exchange
from apps.delivery.clients.failures import Failure
from apps.delivery.outcome import (
    MAX_BODY_BYTES,
    MAX_HEAD_BYTES,
    MAX_HEADER_LINE_BYTES,
    MAX_HEADERS,
    ErrorKind,
)

# Bytes without a whole head or a byte of a body: more than the largest head, with what is around
# its headers.
_MAX_FRUITLESS_BYTES: Final = 2 * MAX_HEAD_BYTES
_TOO_LARGE: Final = (ErrorKind.TOO_LARGE, failures.HEAD_TOO_LARGE)
_NOT_HTTP: Final = (ErrorKind.PROTOCOL, failures.NOT_HTTP)
_SWITCHING_PROTOCOLS: Final = 101
# Answers that have no body, whatever their heads say.
_BODILESS: Final = frozenset({204, 304})


class _Enough(Exception):
    """Nothing more is to be read; raised in the parser's callbacks, which it comes back from."""


class AnswerProtocol(asyncio.Protocol):
    """A connection, over which one request after the other is answered.

    What follows an answer in the same packet is dropped: some receivers count characters where
    bytes are meant, so that their Content-Length is too short, and others send a body with a 204.
    The request has arrived, and the answer counts; the connection is not `is_fit` for another one.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.transport: asyncio.Transport | None = None
        self.is_fit = True
        self._loop = loop
        self._poll = select.poll()
        self._is_closing = False
        self._parser: httptools.HttpResponseParser | None = None
        self._closed: asyncio.Future[None] | None = None
        # What is asked now; there is no exchange while nobody waits for an answer.
        self._exchange: Exchange | None = None
        self._ended: asyncio.Future[Failure | None]
        self._has_no_body = False
        self._headers: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0
        self._body = bytearray()
        self._interim = 0
        self._fruitless_bytes = 0

    # --- What is asked of it ---------------------------------------------------------------------

    def ask(
        self, request: bytes, exchange: Exchange, *, has_no_body: bool
    ) -> "asyncio.Future[Failure | None]":
        """Write a request; the future has no failure once its answer is in `exchange`, whole.

        `has_no_body` tells that the answer is to HEAD. Who stops waiting must drop the connection.
        """
        self._ended = self._loop.create_future()
        if self.transport is None:
            self._ended.set_result((ErrorKind.CLOSED, failures.CLOSED_EARLY))
            return self._ended
        self._exchange, self._has_no_body = exchange, has_no_body
        self._interim = self._fruitless_bytes = 0
        self.transport.write(request)
        return self._ended

    def stop(self, exchange: Exchange) -> None:
        """Wait no more for an answer that is not whole, and keep what there is of its body."""
        if self._exchange is exchange:
            self._end(failures.STOPPING)

    def is_quiet(self) -> bool:
        """Whether nothing has come since the last answer, as far as the system knows.

        The loop may not have had the time to read what did: bytes that would be taken for the next
        answer, or the end of the connection.
        """
        return not self._poll.poll(0)

    # --- What aiohttp's connector asks of it -----------------------------------------------------

    def is_connected(self) -> bool:
        """Whether something can be written."""
        return self.transport is not None and not self.transport.is_closing()

    @property
    def should_close(self) -> bool:
        """Whether it is not fit for another request."""
        return not self.is_fit

    @property
    def closed(self) -> "asyncio.Future[None] | None":
        """What is done once the connection is; None when it is already."""
        if self._closed is None and self.transport is not None:
            self._closed = self._loop.create_future()
        return self._closed

    def close(self) -> None:
        """Close it."""
        self._is_closing = True
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        """Close it at once."""
        self._is_closing = True
        if self.transport is not None:
            self.transport.abort()

    # --- What the loop tells ---------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = cast("asyncio.Transport", transport)
        self._poll.register(transport.get_extra_info("socket"), select.POLLIN)
        self._parser = httptools.HttpResponseParser(self)
        # As lenient as aiohttp is, and browsers are, with what is no danger to who only reads.
        self._parser.set_dangerous_leniencies(
            lenient_headers=True,
            lenient_optional_cr_before_lf=True,
            lenient_spaces_after_chunk_size=True,
        )

    def data_received(self, data: bytes) -> None:
        """Read what came."""
        exchange = self._exchange
        if exchange is None or self._parser is None:
            # It would be taken for the answer to the next request, and there may be no end of it.
            self.is_fit = False
            self.abort()
            return
        exchange.received += len(data)
        self._fruitless_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._end(None)
        except httptools.HttpParserError:
            self._end(_NOT_HTTP)
        if self._fruitless_bytes > _MAX_FRUITLESS_BYTES:
            self._end(_TOO_LARGE)

    def connection_lost(self, exc: Exception | None) -> None:
        """End, with what was being read."""
        # They know each other.
        self._parser = None
        self.transport = None
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)
        if isinstance(exc, ssl.SSLError):
            self._end(failures.tls_failure(exc))
        elif self._exchange is None or self._exchange.status is None:
            self._end((ErrorKind.CLOSED, failures.CLOSED_EARLY))
        elif exc is None and not self._is_closing and _lasts_until_closed(self._exchange.headers):
            self._end(None)
        else:
            self._end((ErrorKind.CLOSED, failures.CLOSED_IN_BODY))

    # --- What the parser tells -------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Begin an answer, or an interim one."""
        self._headers = []
        self._head_bytes = 0
        if self._exchange is None:
            raise _Enough

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header, or refuse all; those behind a chunked body count as well."""
        name, value = name.rstrip(), value.strip()
        size = len(name) + len(value)
        self._head_bytes += size
        self._headers.append((name, value))
        if (
            size > MAX_HEADER_LINE_BYTES
            or self._head_bytes > MAX_HEAD_BYTES
            or len(self._headers) > MAX_HEADERS
        ):
            self._end(_TOO_LARGE)
            raise _Enough
        # The parser lets them pass where it is lenient.
        if b"\0" in value or b"\r" in value or b"\n" in value:
            raise _Enough

    def on_headers_complete(self) -> None:
        """Take the head over; an interim one is passed over."""
        exchange, parser = self._exchange, self._parser
        assert exchange is not None and parser is not None  # noqa: S101, PT018 - for the types
        self._fruitless_bytes = 0
        status = parser.get_status_code()
        if status < 100 or not parser.get_http_version().startswith("1."):
            raise _Enough
        if status < 200 and status != _SWITCHING_PROTOCOLS:
            self._interim += 1
            if self._interim > MAX_INTERIM_ANSWERS:
                raise _Enough
            return
        exchange.first_byte_ms = exchange.elapsed_ms()
        exchange.headers = [
            (name.decode("utf-8", "replace"), value.decode("utf-8", "replace"))
            for name, value in self._headers
        ]
        exchange.status = status
        # Those behind a chunked body count by themselves.
        self._headers, self._head_bytes = [], 0
        if status in _BODILESS and not _lasts_until_closed(exchange.headers):
            # A body that comes all the same, and later, would be taken for the next answer.
            self.is_fit = False
        if self._has_no_body:
            self._end(None)
            raise _Enough

    def on_body(self, data: bytes) -> None:
        """Keep a part of a body, as far as bodies are read; that of an interim answer is none."""
        if self._exchange is None or self._exchange.status is None:
            return
        self._fruitless_bytes = 0
        self._body += data
        if len(self._body) > MAX_BODY_BYTES:
            self._exchange.body_truncated = True
            self._end(None)
            raise _Enough

    def on_message_complete(self) -> None:
        """End, unless it was an interim answer."""
        if self._exchange is None or self._exchange.status is None or self._parser is None:
            return
        is_written = self.transport is not None and not self.transport.get_write_buffer_size()
        self._end(None, may_be_kept=is_written and self._parser.should_keep_alive())

    # --- The end of an answer --------------------------------------------------------------------

    def _end(self, failure: Failure | None, *, may_be_kept: bool = False) -> None:
        """Tell who waits, if somebody does; the connection is good for more only if told so."""
        self.is_fit = self.is_fit and may_be_kept
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            return
        if failure is None and exchange.status is None:
            failure = _NOT_HTTP
        exchange.is_whole = failure is None
        exchange.body = bytes(self._body[:MAX_BODY_BYTES])
        # A connection at rest is to hold little.
        self._body, self._headers = bytearray(), []
        if not self._ended.done():
            self._ended.set_result(failure)


def _lasts_until_closed(headers: Sequence[tuple[str, str]]) -> bool:
    """Whether a body is told to be whole by nothing but the end of its connection."""
    lengths, codings = [], []
    for name, value in headers:
        match name.lower():
            case "content-length":
                lengths.append(value)
            case "transfer-encoding":
                codings += value.lower().split(",")
    return codings[-1].strip() != "chunked" if codings else not lengths
