"""The paths of the receiver that answer with the same bytes each time."""

import asyncio
import gzip

from tests.delivery.receiver.requests import Behaviour, Received, Receiver


def always(raw: bytes, *, then_close: bool = False) -> Behaviour:
    """Return a behaviour that answers with these bytes."""

    async def answer(receiver: Receiver, _: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()
        receiver.bytes_sent += len(raw)
        if then_close:
            writer.close()
            raise ConnectionError

    return answer


def response(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """Return a whole response with its length, as bytes."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "\r\n"]
    return "\r\n".join(lines).encode() + body


OK = response(b"ok")
_GZIP_BOMB = gzip.compress(bytes(20_000_000))
_SHORT = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + "Zoë ok".encode()
_LENGTH_AND_CHUNKS = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"

ANSWERS: dict[str, Behaviour] = {
    "ok": always(OK),
    "created": always(response(b"{}", "Content-Type: application/json", status="201 Created")),
    "empty": always(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "empty-with-body": always(b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"),
    "length-in-characters": always(_SHORT),
    "interim-then-more": always(b"HTTP/1.1 103 Early Hints\r\n\r\n" + _SHORT),
    "not-modified": always(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n"),
    "error": always(response(b"no", status="500 Oops")),
    "busy": always(response(b"", "Retry-After: 7", status="429 Slow Down")),
    "unavailable": always(response(b"later", status="503 Later")),
    "unprocessable": always(response(b"no", status="422 No")),
    "escapes": always(response(b"ok\0\xff", 'X-Odd: \\u0000" \\ud800')),
    "gone": always(response(b"", status="410 Gone")),
    "redirect": always(response(b"", "Location: http://10.0.0.1/", status="302 Found")),
    "cookie": always(response(b"ok", "Set-Cookie: a=b; Path=/")),
    "gzip-bomb": always(response(_GZIP_BOMB, "Content-Encoding: gzip")),
    "body-64k": always(response(b"x" * 65_536)),
    "body-64k-1": always(response(b"x" * 65_537)),
    "latin1": always(b"HTTP/1.1 200 OK\r\nX-Name: caf\xe9\r\nContent-Length: 0\r\n\r\n"),
    "utf8": always("HTTP/1.1 200 OK\r\nX-Name: café\r\nContent-Length: 0\r\n\r\n".encode()),
    "interim": always(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK),
    "continue": always(b"HTTP/1.1 100 Continue\r\n\r\n" + OK),
    "chunked": always(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
    "until-close": always(b"HTTP/1.0 200 OK\r\n\r\nok", then_close=True),
    "connection-close": always(response(b"ok", "Connection: close"), then_close=True),
    "closes-politely": always(OK, then_close=True),
    "silent-close": always(b"", then_close=True),
    "partial-status": always(b"HTTP/1.1 20", then_close=True),
    "partial-head": always(b"HTTP/1.1 200 OK\r\nX-Name: va", then_close=True),
    "unended-head": always(b"HTTP/1.1 200 OK\r\nX-Name: value\r\n", then_close=True),
    "partial-body": always(
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes.", then_close=True
    ),
    "partial-chunk": always(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nten bytes.", then_close=True
    ),
    "bad-chunk": always(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzebra\r\nok\r\n0\r\n\r\n",
        then_close=True,
    ),
    # Both would be numbers to a reader that asks Python.
    "signed-chunk": always(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+2\r\nok\r\n0\r\n\r\n"
    ),
    "negative-chunk": always(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\nok\r\n0\r\n\r\n"
    ),
    "garbage": always(b"SSH-2.0-OpenSSH_9.2\r\n", then_close=True),
    "binary": always(bytes(range(256)) * 4, then_close=True),
    "bad-status": always(b"HTTP/1.1 abc OK\r\nContent-Length: 2\r\n\r\nok", then_close=True),
    "bad-length": always(b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok", then_close=True),
    "line-too-long": always(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1_000_000 + b"\r\n\r\n"),
    "many-headers": always(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 100_000 + b"\r\n"),
    "big-head": always(b"HTTP/1.1 200 OK\r\n" + (b"X-A: " + b"x" * 8_000 + b"\r\n") * 60 + b"\r\n"),
    "two-lengths": always(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"),
    "negative-length": always(b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok", then_close=True),
    "length-and-chunks": always(_LENGTH_AND_CHUNKS + b"2\r\nok\r\n0\r\n\r\n"),
    "nul": always(b"HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 2\r\n\r\nok"),
    "space-in-name": always(b"HTTP/1.1 200 OK\r\nX A: a\r\nContent-Length: 2\r\n\r\nok"),
    "http2": always(b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok"),
    "status-99": always(b"HTTP/1.1 99 OK\r\nContent-Length: 2\r\n\r\nok"),
    "folded": always(b"HTTP/1.1 200 OK\r\nX-A: a\r\n b\r\nContent-Length: 2\r\n\r\nok"),
    "twice": always(OK + b"HTTP/1.1 500 Poison\r\nContent-Length: 0\r\n\r\n"),
    "switching": always(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nraw"),
}
