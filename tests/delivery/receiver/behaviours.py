"""What each path of the receiver does: fixed answers, and worse."""

import asyncio
import socket
import struct

from tests.delivery.receiver.answers import ANSWERS, OK, response
from tests.delivery.receiver.requests import Behaviour, Received, Receiver

BEHAVIOURS: dict[str, Behaviour] = dict(ANSWERS)


def behaviour(function: Behaviour) -> Behaviour:
    """Register the function under its name, with dashes for underscores."""
    BEHAVIOURS[function.__name__.replace("_", "-")] = function
    return function


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
    writer.write(response(b"later", status="503 Later"))


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
    writer.write(response(b"", status="503 Later") if first else OK)


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
async def unasked_later(receiver: Receiver, _: Received, writer: asyncio.StreamWriter) -> None:
    """Answers, and then once more without being asked, as a server does that times out."""
    writer.write(OK)
    await asyncio.sleep(0.1)
    writer.write(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
    receiver.unasked += 1
