"""The server of the receiver, in a thread of the test's process."""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator

from tests.delivery.receiver.behaviours import BEHAVIOURS
from tests.delivery.receiver.requests import Received, Receiver

# A query with long values makes a long request line.
_LONGEST_HEAD = 1_000_000


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
        with contextlib.suppress(Exception):
            await writer.wait_closed()
        receiver.closed += 1

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
