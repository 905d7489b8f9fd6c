"""Tunnels through the proxy of the operator, for both clients."""

import asyncio
import socket
from typing import Any, Final

from apps.common.egress_proxy import MAX_ANSWER_BYTES, EgressProxy, status_of
from apps.common.special_addresses import IPAddress
from apps.delivery.clients.failures import TunnelFailed
from apps.delivery.outcome import ErrorKind

_END: Final = b"\r\n\r\n"
_NOT_AUTHORIZED: Final = 407


async def open_tunnel(proxy: EgressProxy, address: IPAddress, port: int) -> socket.socket:
    """Return a connected socket that leads to a vetted address. Raises OSError.

    The caller bounds the time.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(proxy.host, proxy.port, type=socket.SOCK_STREAM)
        sock = socket.socket(found[0][0], socket.SOCK_STREAM)
    except OSError as error:
        raise _no_proxy(error) from error
    try:
        sock.setblocking(False)
        try:
            await loop.sock_connect(sock, found[0][4])
        except OSError as error:
            raise _no_proxy(error) from error
        await loop.sock_sendall(sock, proxy.request(address, port))
        answer = b""
        while not _is_complete(answer):
            answer += _some(await loop.sock_recv(sock, MAX_ANSWER_BYTES))
        _check(answer)
    except BaseException:
        sock.close()
        raise
    return sock


def way_to(proxy: EgressProxy) -> tuple[socket.AddressFamily, tuple[Any, ...]]:
    """Return where the proxy is, for the socket that `dig_tunnel` takes. Raises OSError."""
    try:
        found = socket.getaddrinfo(proxy.host, proxy.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise _no_proxy(error) from error
    return found[0][0], found[0][4]


def dig_tunnel(
    sock: socket.socket,
    proxy: EgressProxy,
    where: tuple[Any, ...],
    address: IPAddress,
    port: int,
) -> None:
    """Lead a socket that is not connected to a vetted address. Raises OSError.

    The timeout of the socket bounds each step.
    """
    try:
        sock.connect(where)
    except TimeoutError:
        raise
    except OSError as error:
        raise _no_proxy(error) from error
    # Not by a method that counts what belongs to the exchange.
    socket.socket.sendall(sock, proxy.request(address, port))
    answer = b""
    while not _is_complete(answer):
        answer += _some(sock.recv(MAX_ANSWER_BYTES))
    _check(answer)


def _is_complete(answer: bytes) -> bool:
    if len(answer) > MAX_ANSWER_BYTES:
        raise TunnelFailed((ErrorKind.LOCAL, "The proxy answers nonsense."))
    return _END in answer


def _some(part: bytes) -> bytes:
    if not part:
        raise TunnelFailed((ErrorKind.LOCAL, "The proxy closed the connection."))
    return part


def _check(answer: bytes) -> None:
    """Raise unless there is a tunnel, and nothing in it yet: receivers do not speak first."""
    status = status_of(answer)
    if 200 <= status < 300 and answer.index(_END) + len(_END) == len(answer):
        return
    if status in (0, _NOT_AUTHORIZED) or status < 400:
        raise TunnelFailed((ErrorKind.LOCAL, f"The proxy can not be used: it answered {status}."))
    raise TunnelFailed((ErrorKind.REFUSED, f"The proxy did not connect: it answered {status}."))


def _no_proxy(error: OSError) -> TunnelFailed:
    reason = error.strerror or error
    return TunnelFailed((ErrorKind.LOCAL, f"The proxy can not be reached: {reason}."))
