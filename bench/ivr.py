"""What Hookline adds to a receiver's own time while a caller waits in an IVR.

Open loop: results are posted to the web server at a steady rate, whatever the answers. The time of
one runs from its scheduled moment to the last byte of the answer; what the receiver itself took,
from the first byte of its request to its answer, is taken off. Each is for another call that is
known, so its snapshot is read, its exchange recorded and the prompts of the next IVR filled. Beside
it, in the same way: `/healthz`, the web server with nothing behind it.
"""

import argparse
import asyncio
import json
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import uvloop

from apps.common.garbage import seldom_collecting
from bench.installation import HOST, Installation, installed
from bench.latency import percentile
from bench.processes import BenchmarkFailed, CpuMeter, python, running, wait_until
from bench.receiver import Arrival, receiving
from bench.result import Result

_START_S = 30.0
# Connections are opened and code is warmed in these, which do not count.
_WARM_UP_S = 4.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark."""
    parser.add_argument("--rate", type=int, default=100, help="results posted in a second")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--receiver-ms", type=int, default=50, help="how long the receiver takes")


@dataclass(frozen=True, slots=True)
class Answered:
    """One request: milliseconds from its scheduled moment to the end of its answer."""

    took_ms: float
    status: int
    body: bytes


def measure(arguments: argparse.Namespace) -> Result:
    """Measure; void unless each was answered as the receiver said, and recorded once."""
    with installed() as installation, receiving(installation.data_dir) as receiver:
        from apps.ivr.models import DecidedBy, IvrExchange

        warm = int(_WARM_UP_S * arguments.rate)
        count = int(arguments.seconds * arguments.rate) + warm
        url = receiver.url(f"/action/{arguments.receiver_ms}/1")
        token, calls = _callers(url, count)
        with _web_server(installation) as (server, pid):
            meter = CpuMeter(web=pid, database=installation.database_pid)
            load = _Load(server, token, [_results(call) for call in calls], arguments.rate)
            # A look for garbage through all of Django would count as the server's time.
            with seldom_collecting():
                answers, cpu_s, floor = uvloop.run(load.offer(warm, meter))
        recorded = IvrExchange.objects.filter(decided_by=DecidedBy.TARGET).count()
        arrivals = receiver.ledger()
    void_because = _void_because(answers, arrivals, recorded)
    counted = [] if void_because else answers[warm:]
    overheads = [each.took_ms - _own_ms(arrivals, each) for each in counted]
    whole = [each.took_ms for each in counted]
    figures: dict[str, Any] = {
        "rate_per_s": arguments.rate,
        "receiver_ms": arguments.receiver_ms,
        "exchanges": len(counted),
        **{f"overhead_p{p}_ms": _at(overheads, p) for p in (50, 95, 99)},
        "whole_p95_ms": _at(whole, 95),
        "healthz_p95_ms": _at([each.took_ms for each in floor], 95),
        "cpu_ms": {name: round(used * 1000 / (count - warm), 2) for name, used in cpu_s.items()},
    }
    return Result(
        name="ivr",
        rows=[
            ("Posted", f"{arguments.rate:8,} /s for {arguments.seconds:g} s"),
            *((f"Added, p{p}", f"{figures[f'overhead_p{p}_ms']:8.1f} ms") for p in (50, 95, 99)),
            ("With the receiver, p95", f"{figures['whole_p95_ms']:8.1f} ms"),
            ("The web server alone, p95", f"{figures['healthz_p95_ms']:8.1f} ms"),
            *(
                (f"Processor time of {name}", f"{used:8.2f} ms each")
                for name, used in figures["cpu_ms"].items()
            ),
        ],
        figures=figures,
        void_because=void_because,
    )


def _callers(url: str, count: int) -> tuple[str, list[str]]:
    """Set up two IVRs, the first with a web hook; return a key and so many known calls."""
    from apps.accounts.models import Scope
    from apps.accounts.services import issue_key
    from apps.calls.models import Call
    from apps.ivr.models import Ivr, IvrHook, IvrParameter, IvrQuestion
    from bench.world import make_world, take_calls

    world = make_world([url])
    place = {"account": world.account, "location": world.webhooks[0].location}
    first = Ivr.objects.create(**place, number=1, name="Account")
    second = Ivr.objects.create(**place, number=2, name="Balance")
    hook = IvrHook.objects.create(
        account=world.account,
        ivr=first,
        is_active=True,
        mode=IvrHook.Mode.ACTION,
        method=IvrHook.Method.POST,
        target_url=url,
        includes_attribution=True,
    )
    for name, value in (("account_no", "answer.1"), ("pin", "answer.2"), ("city", "ani_city")):
        IvrParameter.objects.create(account=world.account, hook=hook, name=name, token=value)
    for number in range(1, 4):
        IvrQuestion.objects.create(
            account=world.account, ivr=second, number=number, prompt="Well, @firstName?"
        )
    take_calls(world, count)
    _, token = issue_key(account=world.account, name="Switch", scopes=[Scope.INGEST], by=None)
    return token, list(Call.objects.values_list("external_id", flat=True))


def _results(call: str) -> bytes:
    return json.dumps(
        {
            "response_id": f"r-{call}",
            "call_id": call,
            "started_at": "2026-03-28T00:05:02Z",
            "answers": {"1": "12345", "2": "99"},
            "completed": True,
        }
    ).encode()


def _gather_statistics() -> None:
    """Do what PostgreSQL does by itself within a minute of an installation's first rows."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


@contextmanager
def _web_server(installation: Installation) -> Iterator[tuple[str, int]]:
    """Run the web server as it is deployed, on a port of its own; yield its address and process."""
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    command = python("-m", "config.web", "--host", HOST, "--port", str(port))
    with running(command, log=installation.data_dir / "web.log") as process:
        wait_until(lambda: _is_up(port), "Starting the web server", _START_S)
        yield f"http://{HOST}:{port}", process.pid


def _is_up(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


@dataclass(frozen=True, slots=True)
class _Load:
    """Results that are posted to a web server, so many a second."""

    server: str
    token: str
    bodies: Sequence[bytes]
    rate: int

    async def offer(
        self, warm: int, meter: CpuMeter
    ) -> tuple[list[Answered], dict[str, float], list[Answered]]:
        """Post all, the first ones to warm up; return the answers, what the others took, the floor.

        All go over the same connections, as those of a phone platform do.
        """
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
            link = f"{self.server}/api/v1/ivr/1/results"
            half = warm // 2
            answers = await self._send(session, link, self.bodies[:half])
            # Whatever was planned until then is planned anew.
            await asyncio.to_thread(_gather_statistics)
            answers += await self._send(session, link, self.bodies[half:warm])
            before = meter.used_s()
            answers += await self._send(session, link, self.bodies[warm:])
            used = {name: after - before[name] for name, after in meter.used_s().items()}
            floor = await self._send(session, f"{self.server}/healthz", [None] * warm)
            return answers, used, floor

    async def _send(
        self, session: aiohttp.ClientSession, url: str, bodies: Sequence[bytes | None]
    ) -> list[Answered]:
        """Send one request each tick, late ones at once; a body of None is a GET."""
        began = time.monotonic() + 0.1

        async def one(number: int, body: bytes | None) -> Answered:
            moment = began + number / self.rate
            await asyncio.sleep(max(0.0, moment - time.monotonic()))
            async with session.request("GET" if body is None else "POST", url, data=body) as got:
                raw = await got.read()
                return Answered((time.monotonic() - moment) * 1000, got.status, raw)

        return await asyncio.gather(*(one(number, body) for number, body in enumerate(bodies)))


def _void_because(answers: Sequence[Answered], arrivals: dict[str, Arrival], recorded: int) -> str:
    wrong = next((each for each in answers if each.status != 200), None)
    if wrong is not None:
        return f"A platform was answered {wrong.status}: {wrong.body[:200]!r}."
    decided = sum(json.loads(each.body)["decided_by"] == "target" for each in answers)
    doubled = sum(each.requests != 1 for each in arrivals.values())
    if not len(answers) == decided == recorded == len(arrivals) or doubled:
        return (
            f"{len(answers)} were posted, {len(arrivals)} reached the receiver ({doubled} not"
            f" once), {decided} were answered by it and {recorded} are recorded."
        )
    return ""


def _own_ms(arrivals: dict[str, Arrival], answered: Answered) -> float:
    """What the receiver took for the exchange behind an answer."""
    arrival = arrivals.get(json.loads(answered.body)["exchange"])
    if arrival is None:
        raise BenchmarkFailed("An answer names an exchange that the receiver knows nothing of.")
    return (arrival.answered_at - arrival.first_at) * 1000


def _at(waits: Sequence[float], share: int) -> float:
    return round(percentile(sorted(waits), share), 1) if waits else 0.0
