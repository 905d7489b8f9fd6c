"""HTTP clients alone, with nothing to claim, render, sign or record.

The ceiling is aiohttp on uvloop, used as its documentation says: what is sent at most by who takes
the quickest library that there is. The worker's own client is measured as well.
`python -m bench.ceiling` is the process that sends, on a core of its own as a worker has it.
"""

import argparse
import asyncio
import itertools
import json
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import uvloop

from apps.common.egress import EgressPolicy
from apps.delivery.clients.batch_client import guarded_session, send
from apps.delivery.outcome import OutboundRequest
from bench.processes import BenchmarkFailed, python
from bench.receiver import HOST, Receiver

_CONCURRENCY = 512
# As large as what the worker sends in the benchmark of throughput.
BODY = b'{"lead":"' + b"x" * 690 + b'"}'


Send = Callable[[OutboundRequest], Awaitable[int | None]]
"""Sends a request, reads its answer whole, and returns the status."""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Requests a second, and the client's processor time for one, in microseconds."""

    rate_per_s: float
    cpu_us: float


def measure_ceiling(
    receiver: Receiver, client: str, *, paths: list[str], seconds: float
) -> Ceiling:
    """Return how fast one of `CLIENTS` alone is when it sends for so long.

    Raises BenchmarkFailed when the receiver counts other than the client does.
    """
    receiver.forget()
    urls = [receiver.url(path) for path in paths]
    command = python("-m", "bench.ceiling", client, "--seconds", str(seconds), *urls)
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise BenchmarkFailed(f"The ceiling could not be measured:\n{finished.stderr}")
    answer = json.loads(finished.stdout)
    arrived = len(receiver.ledger())
    if arrived != answer["sent"]:
        raise BenchmarkFailed(f"The client sent {answer['sent']:,}, and {arrived:,} arrived.")
    return Ceiling(
        rate_per_s=answer["sent"] / answer["seconds"],
        cpu_us=answer["cpu_s"] * 1e6 / answer["sent"],
    )


def requests_to(urls: list[str]) -> Iterator[OutboundRequest]:
    """Yield requests without end, like those of a worker, to each URL in turn."""
    for number, url in enumerate(itertools.cycle(urls)):
        yield OutboundRequest(
            method="POST",
            url=url,
            headers={
                "Content-Type": "application/json",
                "X-Api-Key": "key-of-1",
                "webhook-id": f"msg_{number:026}",
                "webhook-timestamp": "1764547200",
                "webhook-signature": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
            },
            body=BODY,
        )


@asynccontextmanager
async def _aiohttp() -> AsyncIterator[Send]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def send_one(request: OutboundRequest) -> int:
            async with session.request(
                request.method,
                request.url,
                data=request.body,
                headers=request.headers,
                allow_redirects=False,
            ) as answer:
                await answer.read()
                return answer.status

        yield send_one


@asynccontextmanager
async def _own() -> AsyncIterator[Send]:
    async with guarded_session(EgressPolicy.from_strings([f"{HOST}/32"])) as session:

        async def send_one(request: OutboundRequest) -> int | None:
            return (await send(session, request)).status

        yield send_one


CLIENTS = {"aiohttp": _aiohttp, "own": _own}


async def _send_for(client: str, seconds: float, urls: list[str]) -> dict[str, float]:
    requests, sent = requests_to(urls), 0

    async def work(send_one: Send) -> None:
        nonlocal sent
        while time.perf_counter() - began < seconds:
            status = await send_one(next(requests))
            if status != 200:
                raise BenchmarkFailed(f"Answered {status}.")
            sent += 1

    async with CLIENTS[client]() as send_one:
        began, cpu_began = time.perf_counter(), time.process_time()
        await asyncio.gather(*(work(send_one) for _ in range(_CONCURRENCY)))
        return {
            "sent": sent,
            "seconds": time.perf_counter() - began,
            "cpu_s": time.process_time() - cpu_began,
        }


def main() -> None:
    """Send for a while, and print how much that was."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("client", choices=CLIENTS)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("urls", nargs="+")
    arguments = parser.parse_args()
    print(json.dumps(uvloop.run(_send_for(arguments.client, arguments.seconds, arguments.urls))))


if __name__ == "__main__":
    main()
