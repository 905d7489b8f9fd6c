"""A receiver that costs little: `python -m bench.receiver`, and the handle on such a process.

It counts each `webhook-id`, remembers when the first byte of it arrived and when it was answered,
and reads no body. The path of a request says how it is answered: `/ok/7` at once, `/delay/100/7`
after 100 ms, `/status/503/7` with 503, `/hang/7` never, `/action/50/7` after 50 ms with the XML
that an IVR waits for. `GET /ledger` tells what came, `DELETE /ledger` forgets it. It prints its
port, and serves until SIGTERM. It expects requests as our own clients write them: header names as
they are spelled here, and a Content-Length.
"""

import argparse
import asyncio
import http.client
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from time import monotonic
from typing import Any, cast

import orjson
import uvloop

from bench.processes import Process, python, running, wait_until

HOST = "127.0.0.1"
_ID = b"\r\nwebhook-id: "
_LENGTH = b"\r\nContent-Length: "
_END = b"\r\n\r\n"
_START_S = 20.0
_ACTION = (
    b"<action><app>SurVo</app><parameters><id>2</id><user_parameters><firstName>Freddy</firstName>"
    b"</user_parameters><p_t>step|balance</p_t></parameters></action>"
)


# --- The process ---------------------------------------------------------------------------------


@dataclass(slots=True)
class Arrival:
    """What came under one id: when its first byte did, how often in all, how often answered 2xx.

    `answered_at` is when the last answer was written; 0 before the first.
    """

    first_at: float
    requests: int = 0
    accepted: int = 0
    answered_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Manners:
    """How requests to one path are answered."""

    answer: bytes
    delay_s: float = 0.0
    is_accepted: bool = True
    hangs: bool = False


@lru_cache(maxsize=100_000)
def manners_of(path: bytes) -> Manners:
    """Read a path."""
    match path.split(b"/"):
        case [b"", b"delay", ms, *_]:
            return Manners(_answer(200), delay_s=int(ms) / 1000)
        case [b"", b"action", ms, *_]:
            return Manners(_answer(200, _ACTION, "text/xml"), delay_s=int(ms) / 1000)
        case [b"", b"status", status, *_]:
            return Manners(_answer(int(status)), is_accepted=200 <= int(status) < 300)
        case [b"", b"hang", *_]:
            return Manners(b"", is_accepted=False, hangs=True)
    return Manners(_answer(200))


def _answer(
    status: int, body: bytes = b'{"ok":true}', content_type: str = "application/json"
) -> bytes:
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Connection(asyncio.Protocol):
    """One connection; `arrivals` by webhook-id are shared by all."""

    def __init__(self, arrivals: dict[bytes, Arrival], loop: asyncio.AbstractEventLoop) -> None:
        self._arrivals = arrivals
        self._loop = loop
        self._rest = b""
        self._began_at = 0.0
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, received: bytes) -> None:
        """Take every request that is complete."""
        if not self._rest:
            self._began_at = monotonic()
        rest = self._rest + received if self._rest else received
        while (head := rest.find(_END)) >= 0:
            length_at = rest.find(_LENGTH, 0, head)
            length = 0
            if length_at >= 0:
                begin = length_at + len(_LENGTH)
                length = int(rest[begin : rest.index(b"\r\n", begin)])
            end = head + len(_END) + length
            if len(rest) < end:
                break
            self._take(rest, head)
            rest = rest[end:]
        self._rest = rest

    def _take(self, request: bytes, head: int) -> None:
        method, path, _ = request[: request.index(b"\r\n")].split(b" ", 2)
        if path == b"/ledger":
            self._transport.write(_answer(200, self._ledger(method)))
            return
        manners = manners_of(path)
        arrival = None
        id_at = request.find(_ID, 0, head)
        if id_at >= 0:
            begin = id_at + len(_ID)
            key = request[begin : request.index(b"\r\n", begin)]
            arrival = self._arrivals.get(key)
            if arrival is None:
                arrival = self._arrivals[key] = Arrival(self._began_at)
            arrival.requests += 1
            arrival.accepted += manners.is_accepted
        if manners.delay_s:
            self._loop.call_later(manners.delay_s, self._write, manners.answer, arrival)
        elif not manners.hangs:
            self._write(manners.answer, arrival)

    def _write(self, answer: bytes, arrival: Arrival | None) -> None:
        self._transport.write(answer)
        if arrival is not None:
            arrival.answered_at = monotonic()

    def _ledger(self, method: bytes) -> bytes:
        if method == b"DELETE":
            self._arrivals.clear()
            return b"{}"
        return orjson.dumps(
            {
                "ids": [key.decode() for key in self._arrivals],
                "first_at": [each.first_at for each in self._arrivals.values()],
                "requests": [each.requests for each in self._arrivals.values()],
                "accepted": [each.accepted for each in self._arrivals.values()],
                "answered_at": [each.answered_at for each in self._arrivals.values()],
            }
        )


async def serve(port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    arrivals: dict[bytes, Arrival] = {}
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    server = await loop.create_server(
        lambda: Connection(arrivals, loop), HOST, port, backlog=4096, reuse_address=True
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await stopped.wait()
    server.close()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=0, help="0 for any that is free")
    uvloop.run(serve(parser.parse_args().port))


# --- The handle ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Receiver:
    """A running receiver."""

    process: Process
    port: int

    def url(self, path: str) -> str:
        """Return the address of a path such as `/ok/7`."""
        return f"http://{HOST}:{self.port}{path}"

    def ledger(self) -> dict[str, Arrival]:
        """Return what came so far, by webhook-id."""
        plain = self._ask("GET")
        columns = zip(
            plain["first_at"],
            plain["requests"],
            plain["accepted"],
            plain["answered_at"],
            strict=True,
        )
        return {key: Arrival(*values) for key, values in zip(plain["ids"], columns, strict=True)}

    def forget(self) -> None:
        """Begin a new ledger."""
        self._ask("DELETE")

    def _ask(self, method: str) -> Any:
        with closing(http.client.HTTPConnection(HOST, self.port, timeout=60)) as connection:
            connection.request(method, "/ledger")
            return orjson.loads(connection.getresponse().read())


@contextmanager
def receiving(folder: Path, *, port: int = 0) -> Iterator[Receiver]:
    """Run a receiver for the length of a `with` block; its log goes into the folder."""
    log = folder / "receiver.log"
    log.unlink(missing_ok=True)
    with running(python("-m", "bench.receiver", "--port", str(port)), log=log) as process:
        wait_until(lambda: log.read_text().strip(), "Starting the receiver", _START_S)
        yield Receiver(process, int(log.read_text().split()[0]))


if __name__ == "__main__":
    main()
