"""How many events one web process takes in, single and in batches, each planned to two webhooks.

Open loop: requests are posted on a schedule whatever the answers; the time of one runs from its
scheduled moment to the answer. Offered more than it can take, it falls behind, and the rate is what
it can. Afterwards a worker sends what was planned, so that the ledger covers all of it.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import aiohttp
import orjson
import uvloop
from django.db import connection

from apps.common.garbage import seldom_collecting
from bench.installation import installed
from bench.latency import percentile
from bench.processes import BenchmarkFailed, CpuMeter, wait_until
from bench.receiver import receiving
from bench.result import Figure, Result
from bench.web import serving

_WEBHOOKS = 2
_LOCATIONS = 10
_CONNECTIONS = 64
_WARM_UP = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark."""
    parser.add_argument("--history", type=int, default=3_000, help="calls that are there before")
    parser.add_argument("--rate", type=int, default=500, help="single events offered a second")
    parser.add_argument("--batch-rate", type=int, default=4_000, help="events in batches a second")
    parser.add_argument("--batch", type=int, default=100, help="events in a batch")
    parser.add_argument("--seconds", type=float, default=8.0, help="how long each is offered")


def measure(arguments: argparse.Namespace) -> Result:
    """Measure; void unless every event was accepted and what it planned arrived."""
    with installed() as installation, receiving(installation.data_dir) as receiver:
        from bench.ledger import settle
        from bench.sending import is_unfinished, of_worlds, warm_worker
        from bench.world import make_world, switch, take_calls

        world = make_world(
            [receiver.url(f"/ok/{number}") for number in range(_LOCATIONS * _WEBHOOKS)],
            fan_out=_WEBHOOKS,
        )
        # An installation that is a day old, not a minute: with calls, and statistics of its tables.
        take_calls(world, arguments.history)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        with serving(installation) as web, seldom_collecting():
            offer = _Offer(f"{web.address}/api/v1/events", world.token, world.numbers)
            uvloop.run(offer.post(1, rate=50, events=_WARM_UP))
            meter = CpuMeter(web=web.pid, database=installation.database_pid)
            single = uvloop.run(
                offer.post(1, rate=arguments.rate, events=round(arguments.rate * arguments.seconds))
            )
            cpu_of_single_s = meter.used_s()
            meter = CpuMeter(web=web.pid, database=installation.database_pid)
            batched = uvloop.run(
                offer.post(
                    arguments.batch,
                    rate=arguments.batch_rate,
                    events=round(arguments.batch_rate * arguments.seconds),
                )
            )
            cpu_of_batched_s = meter.used_s()
        planned = _WEBHOOKS * (arguments.history + _WARM_UP + single.events + batched.events)
        deliveries = of_worlds([world])
        switch(world, on=False)
        with warm_worker(installation, receiver):
            switch(world, on=True)
            wait_until(lambda: not is_unfinished(deliveries), "Sending what was planned", 120.0)
        ledger = settle(deliveries, receiver.ledger(), planned=planned)
    figures: dict[str, Figure] = {"ledger": ledger.figures()}
    rows = []
    for name, run, cpu_s in (
        ("single", single, cpu_of_single_s),
        ("batch", batched, cpu_of_batched_s),
    ):
        figures |= {f"{name}_per_s": round(run.rate_per_s, 1)} | {
            f"{name}_p{share}_ms": round(percentile(run.waits_ms, share), 1)
            for share in (50, 95, 99)
        }
        rows.append(
            (
                f"Events, {name}",
                f"{run.rate_per_s:10,.0f} /s of {run.offered_per_s:,} offered;"
                f" p50 {percentile(run.waits_ms, 50):.0f} ms,"
                f" p99 {percentile(run.waits_ms, 99):.0f} ms",
            )
        )
        for process, used_s in cpu_s.items():
            each_ms = 1_000 * used_s / run.events
            figures[f"{name}_{process}_cpu_ms"] = round(each_ms, 2)
            rows.append((f"  Processor time of {process}", f"{each_ms:10.2f} ms each"))
    figures["rate_per_s"] = figures["single_per_s"]
    return Result(
        name="intake",
        rows=[*rows, *ledger.rows()],
        figures=figures,
        void_because=ledger.void_because,
    )


@dataclass(frozen=True, slots=True)
class _Taken:
    """One run. `waits_ms` are those of its requests, in order of length."""

    events: int
    offered_per_s: int
    seconds: float
    waits_ms: Sequence[float] = field(repr=False)

    @property
    def rate_per_s(self) -> float:
        return self.events / self.seconds


@dataclass(frozen=True, slots=True)
class _Offer:
    """Events for the numbers of an account, to be posted with its key."""

    url: str
    token: str
    numbers: Sequence[str]

    async def post(self, batch: int, *, rate: int, events: int) -> _Taken:
        """Post so many events at so many a second, `batch` in each request.

        Raises BenchmarkFailed for any answer but 202, and for one that rejects an event.
        """
        from bench.world import call_body

        bodies = [
            orjson.dumps(
                [call_body(self.numbers[(first + n) % len(self.numbers)]) for n in range(batch)]
            )
            for first in range(0, events, batch)
        ]
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        connector = aiohttp.TCPConnector(limit=_CONNECTIONS)
        async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
            began = time.perf_counter()
            waits = await asyncio.gather(
                *(
                    self._post_at(session, body, began + number * batch / rate)
                    for number, body in enumerate(bodies)
                )
            )
            seconds = time.perf_counter() - began
        return _Taken(batch * len(bodies), rate, seconds, sorted(waits))

    async def _post_at(self, session: aiohttp.ClientSession, body: bytes, moment: float) -> float:
        await asyncio.sleep(max(0.0, moment - time.perf_counter()))
        async with session.post(self.url, data=body) as response:
            answer = await response.read()
            if response.status != 202 or orjson.loads(answer)["rejected"]:
                raise BenchmarkFailed(f"Intake answered {response.status}: {answer[:300]!r}")
        return (time.perf_counter() - moment) * 1000
