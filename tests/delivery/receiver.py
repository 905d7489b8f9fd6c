"""A local HTTP receiver that behaves as badly as its path says.

Plain sockets and bytes, no HTTP library: what it sends is exactly what stands here.
"""

import asyncio
import contextlib
import gzip
import socket
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GZIP_BOMB = gzip.compress(bytes(20_000_000))
# A query with long values makes a long request line.
_LONGEST_HEAD = 1_000_000


@dataclass(frozen=True)
class Received:
    """One request as it arrived."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.line.split(" ")[1]

    @property
    def id(self) -> str:
        """The delivery that it is a try of."""
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """A running receiver; `requests` and `connections` are what reached it.

    `most_busy` is, by path, how many requests it had under way at the same time; `gate` is what
    the path `gated` waits for.
    """

    port: int = 0
    scheme: str = "http"
    requests: list[Received] = field(default_factory=list)
    connections: int = 0
    bytes_sent: int = 0
    busy: Counter[str] = field(default_factory=Counter)
    most_busy: Counter[str] = field(default_factory=Counter)
    gate: threading.Event = field(default_factory=threading.Event)
    answered: list[asyncio.StreamWriter] = field(default_factory=list)

    def at(self, path: str) -> list[Received]:
        """What was sent to a path, in order."""
        return [received for received in self.requests if received.path == path]

    def url(self, path: str = "/ok", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"


Behaviour = Callable[[Receiver, Received, asyncio.StreamWriter], Awaitable[None]]
BEHAVIOURS: dict[str, Behaviour] = {}


@contextlib.contextmanager
def running_receiver(ssl_context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Serve on a free loopback port from a thread of its own."""
    receiver = Receiver(scheme="https" if ssl_context else "http")
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        receiver.connections += 1
        with contextlib.suppress(Exception, asyncio.CancelledError):
            while received := await _read_request(reader):
                receiver.requests.append(received)
                name = received.path.split("/")[1].split("?")[0]
                with _counted(receiver, received.path):
                    await BEHAVIOURS[name](receiver, received, writer)
        writer.transport.abort()

    async def listen() -> asyncio.Server:
        server = await asyncio.start_server(
            serve, "127.0.0.1", 0, ssl=ssl_context, limit=_LONGEST_HEAD
        )
        receiver.port = server.sockets[0].getsockname()[1]
        return server

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(listen(), loop).result()
    try:
        yield receiver
    finally:
        asyncio.run_coroutine_threadsafe(_close(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextlib.contextmanager
def _counted(receiver: Receiver, path: str) -> Iterator[None]:
    receiver.busy[path] += 1
    receiver.most_busy[path] = max(receiver.most_busy[path], receiver.busy[path])
    try:
        yield
    finally:
        receiver.busy[path] -= 1


async def _close(server: asyncio.Server) -> None:
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    # Lets the connections that they aborted go.
    await asyncio.sleep(0.01)


async def _read_request(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    line, *lines = head.decode().removesuffix("\r\n\r\n").split("\r\n")
    headers = dict(text.split(": ", 1) for text in lines)
    body = await reader.readexactly(int(headers.get("Content-Length", "0")))
    return Received(line, headers, body)


def behaviour(function: Behaviour) -> Behaviour:
    """Register the function under its name, with dashes for underscores."""
    BEHAVIOURS[function.__name__.replace("_", "-")] = function
    return function


def answers(name: str, raw: bytes, *, then_close: bool = False) -> None:
    """Register a path that answers with these bytes."""

    async def answer(receiver: Receiver, _: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()
        receiver.bytes_sent += len(raw)
        if then_close:
            writer.close()
            raise ConnectionError

    BEHAVIOURS[name] = answer


def _answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "\r\n"]
    return "\r\n".join(lines).encode() + body


answers("ok", OK)
answers("created", _answer(b"{}", "Content-Type: application/json", status="201 Created"))
answers("empty", b"HTTP/1.1 204 No Content\r\n\r\n")
answers("empty-with-body", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello")
_SHORT = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + "Zoë ok".encode()
answers("length-in-characters", _SHORT)
answers("interim-then-more", b"HTTP/1.1 103 Early Hints\r\n\r\n" + _SHORT)
answers("not-modified", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n")
answers("error", _answer(b"no", status="500 Oops"))
answers("busy", _answer(b"", "Retry-After: 7", status="429 Slow Down"))
answers("unavailable", _answer(b"later", status="503 Later"))
answers("unprocessable", _answer(b"no", status="422 No"))
answers("escapes", _answer(b"ok\0\xff", 'X-Odd: \\u0000" \\ud800'))
answers("gone", _answer(b"", status="410 Gone"))
answers("redirect", _answer(b"", "Location: http://10.0.0.1/", status="302 Found"))
answers("cookie", _answer(b"ok", "Set-Cookie: a=b; Path=/"))
answers("gzip-bomb", _answer(GZIP_BOMB, "Content-Encoding: gzip"))
answers("body-64k", _answer(b"x" * 65_536))
answers("body-64k-1", _answer(b"x" * 65_537))
answers("latin1", b"HTTP/1.1 200 OK\r\nX-Name: caf\xe9\r\nContent-Length: 0\r\n\r\n")
answers("utf8", "HTTP/1.1 200 OK\r\nX-Name: café\r\nContent-Length: 0\r\n\r\n".encode())
answers("interim", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK)
answers("continue", b"HTTP/1.1 100 Continue\r\n\r\n" + OK)
answers("chunked", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
answers("until-close", b"HTTP/1.0 200 OK\r\n\r\nok", then_close=True)
answers("connection-close", _answer(b"ok", "Connection: close"), then_close=True)
answers("closes-politely", OK, then_close=True)
answers("silent-close", b"", then_close=True)
answers("partial-status", b"HTTP/1.1 20", then_close=True)
answers("partial-head", b"HTTP/1.1 200 OK\r\nX-Name: va", then_close=True)
answers("unended-head", b"HTTP/1.1 200 OK\r\nX-Name: value\r\n", then_close=True)
answers(
    "partial-body", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes.", then_close=True
)
answers(
    "partial-chunk",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nten bytes.",
    then_close=True,
)
answers(
    "bad-chunk",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzebra\r\nok\r\n0\r\n\r\n",
    then_close=True,
)
# Both would be numbers to a reader that asks Python.
answers(
    "signed-chunk",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+2\r\nok\r\n0\r\n\r\n",
)
answers(
    "negative-chunk",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\nok\r\n0\r\n\r\n",
)
answers("garbage", b"SSH-2.0-OpenSSH_9.2\r\n", then_close=True)
answers("binary", bytes(range(256)) * 4, then_close=True)
answers("bad-status", b"HTTP/1.1 abc OK\r\nContent-Length: 2\r\n\r\nok", then_close=True)
answers("bad-length", b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok", then_close=True)
answers("line-too-long", b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1_000_000 + b"\r\n\r\n")
answers("many-headers", b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 100_000 + b"\r\n")
answers("big-head", b"HTTP/1.1 200 OK\r\n" + (b"X-A: " + b"x" * 8_000 + b"\r\n") * 60 + b"\r\n")
answers("two-lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok")
answers("negative-length", b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok", then_close=True)
_LENGTH_AND_CHUNKS = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
answers("length-and-chunks", _LENGTH_AND_CHUNKS + b"2\r\nok\r\n0\r\n\r\n")
answers("nul", b"HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 2\r\n\r\nok")
answers("space-in-name", b"HTTP/1.1 200 OK\r\nX A: a\r\nContent-Length: 2\r\n\r\nok")
answers("http2", b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
answers("status-99", b"HTTP/1.1 99 OK\r\nContent-Length: 2\r\n\r\nok")
answers("folded", b"HTTP/1.1 200 OK\r\nX-A: a\r\n b\r\nContent-Length: 2\r\n\r\nok")
answers("twice", OK + b"HTTP/1.1 500 Poison\r\nContent-Length: 0\r\n\r\n")
answers("switching", b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nraw")


@behaviour
async def hang(_: Receiver, __: Received, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


@behaviour
async def reset(_: Receiver, __: Received, writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    raise ConnectionError


@behaviour
async def drip_head(_: Receiver, __: Received, writer: asyncio.StreamWriter) -> None:
    await _drip(writer, b"HTTP/1.1 200 OK\r\nX-Drip: " + b"x" * 600)


@behaviour
async def drip_body(_: Receiver, __: Received, writer: asyncio.StreamWriter) -> None:
    await _drip(writer, b"x" * 600, first=b"HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n")


async def _drip(writer: asyncio.StreamWriter, raw: bytes, *, first: bytes = b"") -> None:
    writer.write(first)
    for byte in raw:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.1)


@behaviour
async def bad_chunk_later(_: Receiver, __: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
    await asyncio.sleep(0.1)
    writer.write(b"zebra\r\n")
    await asyncio.sleep(60)


@behaviour
async def slow_body(_: Receiver, __: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nsl")
    await asyncio.sleep(0.1)
    writer.write(b"ow")


@behaviour
async def gigabyte(receiver: Receiver, _: Received, writer: asyncio.StreamWriter) -> None:
    await _flood(
        receiver,
        writer,
        b"x" * 65_536,
        first=b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n",
    )


@behaviour
async def endless_chunks(receiver: Receiver, _: Received, writer: asyncio.StreamWriter) -> None:
    await _flood(
        receiver,
        writer,
        b"1000\r\n" + b"x" * 4_096 + b"\r\n",
        first=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    )


@behaviour
async def endless_interim(receiver: Receiver, _: Received, writer: asyncio.StreamWriter) -> None:
    await _flood(receiver, writer, b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1_000)


@behaviour
async def endless_headers(receiver: Receiver, _: Received, writer: asyncio.StreamWriter) -> None:
    await _flood(receiver, writer, b"X-A: b\r\n" * 1_000, first=b"HTTP/1.1 200 OK\r\n")


async def _flood(
    receiver: Receiver, writer: asyncio.StreamWriter, raw: bytes, *, first: bytes = b""
) -> None:
    writer.write(first)
    while receiver.bytes_sent < 1_073_741_824:
        writer.write(raw)
        await writer.drain()
        # Over TLS the loop gets no turn in between, to tell that the other side is gone.
        await asyncio.sleep(0)
        receiver.bytes_sent += len(raw)


@behaviour
async def unavailable_then_gated(
    receiver: Receiver, received: Received, writer: asyncio.StreamWriter
) -> None:
    """Answers 503: the first 16 requests at once, later ones when the gate is open."""
    is_held = len(receiver.at(received.path)) > 16
    while is_held and not receiver.gate.is_set():
        await asyncio.sleep(0.01)
    writer.write(_answer(b"later", status="503 Later"))


@behaviour
async def slow(_: Receiver, __: Received, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0.03)
    writer.write(OK)


@behaviour
async def gated(receiver: Receiver, _: Received, writer: asyncio.StreamWriter) -> None:
    """Answers once the gate is open."""
    while not receiver.gate.is_set():
        await asyncio.sleep(0.01)
    writer.write(OK)


@behaviour
async def gated_then_slow(
    receiver: Receiver, received: Received, writer: asyncio.StreamWriter
) -> None:
    """Takes its time for each once the gate is open."""
    while not receiver.gate.is_set():
        await asyncio.sleep(0.01)
    await slow(receiver, received, writer)


@behaviour
async def unavailable_once(
    receiver: Receiver, received: Received, writer: asyncio.StreamWriter
) -> None:
    """The first try of each delivery is answered with 503, the others are taken."""
    first = [each.id for each in receiver.requests].count(received.id) == 1
    writer.write(_answer(b"", status="503 Later") if first else OK)


@behaviour
async def ok_once(receiver: Receiver, _: Received, writer: asyncio.StreamWriter) -> None:
    """The first request of the receiver is answered, the second finds its connection dying."""
    if len(receiver.requests) == 2:
        raise ConnectionError
    writer.write(OK)


@behaviour
async def ok_once_a_connection(
    receiver: Receiver, _: Received, writer: asyncio.StreamWriter
) -> None:
    """The first requests of three connections are answered together; a second finds them dying."""
    if writer in receiver.answered:
        raise ConnectionError
    receiver.answered.append(writer)
    while len(receiver.answered) < 3:
        await asyncio.sleep(0.01)
    writer.write(OK)


@behaviour
async def ok_then_never(receiver: Receiver, _: Received, writer: asyncio.StreamWriter) -> None:
    """The first request of the receiver is answered, all later ones find a dying connection."""
    if len(receiver.requests) > 1:
        raise ConnectionError
    writer.write(OK)


@behaviour
async def unasked_later(_: Receiver, __: Received, writer: asyncio.StreamWriter) -> None:
    """Answers, and then once more without being asked, as a server does that times out."""
    writer.write(OK)
    await asyncio.sleep(0.1)
    writer.write(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
