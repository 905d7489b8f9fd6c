"""Both HTTP clients behind one face, so that one table of expectations holds for each."""

import asyncio
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import pytest
import uvloop

from apps.common.egress import EgressPolicy
from apps.delivery.clients import batch_client, waiting_client
from apps.delivery.outcome import OutboundRequest, Outcome

LOOPBACK = EgressPolicy.from_strings(["127.0.0.0/8"])
Resolve = Callable[..., Sequence[Any]]


class Client(Protocol):
    """Sends requests one after the other over one session.

    After each it waits until `may_go_on`, for a minute at most.
    """

    def __call__(
        self,
        *requests: OutboundRequest,
        policy: EgressPolicy = LOOPBACK,
        resolve: Resolve = socket.getaddrinfo,
        ssl_context: ssl.SSLContext | None = None,
        may_go_on: Callable[[], bool] = lambda: True,
    ) -> list[Outcome]: ...


def _batch(run: Callable[..., list[Outcome]]) -> Client:
    def client(
        *requests: OutboundRequest,
        policy: EgressPolicy = LOOPBACK,
        resolve: Resolve = socket.getaddrinfo,
        ssl_context: ssl.SSLContext | None = None,
        may_go_on: Callable[[], bool] = lambda: True,
    ) -> list[Outcome]:
        async def send_all() -> list[Outcome]:
            session = batch_client.guarded_session(policy, resolve=resolve, ssl_context=ssl_context)
            outcomes = []
            async with session:
                for request in requests:
                    outcomes.append(await batch_client.send(session, request))
                    await _waited(may_go_on)
            return outcomes

        return run(send_all())

    return client


def _waiting(
    *requests: OutboundRequest,
    policy: EgressPolicy = LOOPBACK,
    resolve: Resolve = socket.getaddrinfo,
    ssl_context: ssl.SSLContext | None = None,
    may_go_on: Callable[[], bool] = lambda: True,
) -> list[Outcome]:
    outcomes = []
    with waiting_client.waiting_session(
        policy, resolve=resolve, ssl_context=ssl_context
    ) as session:
        for request in requests:
            outcomes.append(waiting_client.send(session, request))
            asyncio.run(_waited(may_go_on))
    return outcomes


async def _waited(may_go_on: Callable[[], bool]) -> None:
    """Wait for it, and then for the loop to see what has come by then."""
    deadline = time.monotonic() + 60.0
    while not may_go_on():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.01)


CLIENTS: dict[str, Client] = {
    "batch": _batch(asyncio.run),
    "batch-uvloop": _batch(uvloop.run),
    "waiting": _waiting,
}


def answer(*addresses: str) -> list[tuple[Any, ...]]:
    """What `socket.getaddrinfo` says for a name with these addresses."""
    return [
        (
            socket.AF_INET6 if ":" in address else socket.AF_INET,
            socket.SOCK_STREAM,
            socket.IPPROTO_TCP,
            "",
            (address, 0, 0, 0) if ":" in address else (address, 0),
        )
        for address in addresses
    ]


def post(url: str, timeout_s: float = 10.0, **headers: str) -> OutboundRequest:
    """A small POST; `X_Name=` becomes the header X-Name."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return OutboundRequest("POST", url, named, b'{"call": 1}', timeout_s)


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> Client:
    """Each of them, one after the other."""
    return CLIENTS[request.param]
