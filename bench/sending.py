"""A worker at work on deliveries that fall due at one moment, timed, counted and weighed.

Imports models, so it is imported inside `bench.installation.installed()` only.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.db.models import Max, QuerySet

from apps.delivery.models import Delivery, DeliveryState
from bench.installation import Installation
from bench.ledger import Ledger, settle
from bench.processes import CpuMeter, Process, wait_until
from bench.receiver import Receiver
from bench.world import World, make_world, switch, take_calls

_WARM_UP_CALLS = 3
_START_S = 60.0


@dataclass(frozen=True, slots=True)
class Sent:
    """One run: from the moment at which everything fell due to the last recording.

    `cpu_us` is the processor time of each process for one delivery, in microseconds.
    """

    seconds: float
    ledger: Ledger
    cpu_us: Mapping[str, float]
    rss_mb: float

    @property
    def rate_per_s(self) -> float:
        """Deliveries that were received in a second."""
        return self.ledger.received / self.seconds

    def figures(self) -> dict[str, float | dict[str, float]]:
        """Return what programs read."""
        return {
            "ledger": dict(self.ledger.figures()),
            "rate_per_s": round(self.rate_per_s, 1),
            "seconds": round(self.seconds, 2),
            "cpu_us": {name: round(us, 1) for name, us in self.cpu_us.items()},
            "rss_mb": round(self.rss_mb, 1),
        }

    def rows(self) -> list[tuple[str, str]]:
        """Return what people read."""
        cpu = ", ".join(f"{name} {us:.0f} µs" for name, us in self.cpu_us.items())
        return [
            ("Rate", f"{self.rate_per_s:10,.0f} /s"),
            ("Took", f"{self.seconds:10.2f} s"),
            ("Processor time of one", cpu),
            ("Worker memory, at most", f"{self.rss_mb:10.0f} MB"),
            *self.ledger.rows(),
        ]


def send_all(
    installation: Installation,
    receiver: Receiver,
    worlds: Sequence[World],
    *,
    planned: int,
    seconds: float,
    beside: Sequence[World] = (),
) -> Sent:
    """Time what is planned in these worlds, from one moment on, until all of it is sent.

    What is planned in those `beside` them is due at the same moment, and not waited for. The
    worlds are switched off until a worker runs that has sent a few deliveries of another one.
    Raises BenchmarkFailed when something is unfinished after so many seconds.
    """
    every = [*worlds, *beside]
    for world in every:
        switch(world, on=False)
    with warm_worker(installation, receiver) as worker:
        meter = CpuMeter(
            worker=worker.pid, postgresql=installation.database_pid, receiver=receiver.process.pid
        )
        began_at = time.time()
        for world in every:
            switch(world, on=True)
        deliveries = of_worlds(worlds)
        # To look goes through the whole table, beside what is measured.
        wait_until(lambda: not is_unfinished(deliveries), "Sending", seconds, every_s=0.5)
        used_s, rss_mb = meter.used_s(), worker.peak_rss_mb()
        ended_at = deliveries.aggregate(at=Max("finished_at"))["at"].timestamp()
        for world in beside:
            switch(world, on=False)
        if beside:
            # It may hold requests that hang, which it would wait for.
            worker.kill()
    return Sent(
        seconds=ended_at - began_at,
        ledger=settle(of_worlds(every), receiver.ledger(), planned=planned),
        cpu_us={name: each_s * 1e6 / planned for name, each_s in used_s.items()},
        rss_mb=rss_mb,
    )


@contextmanager
def warm_worker(
    installation: Installation, receiver: Receiver, **settings: str
) -> Iterator[Process]:
    """Run a worker that has sent a few deliveries of a world of their own."""
    world = make_world([receiver.url("/ok/warm-up")])
    take_calls(world, _WARM_UP_CALLS)
    with installation.manage("worker", **settings) as worker:
        deliveries = of_worlds([world])
        wait_until(lambda: not is_unfinished(deliveries), "Starting the worker", _START_S)
        # What was warmed up belongs to no count.
        receiver.forget()
        yield worker


def of_worlds(worlds: Sequence[World]) -> QuerySet[Delivery]:
    """Return the deliveries of these worlds."""
    return Delivery.objects.filter(account_id__in=[world.account.pk for world in worlds])


def is_unfinished(deliveries: QuerySet[Delivery]) -> bool:
    """Tell whether any of them is to be sent yet."""
    return deliveries.filter(state__in=DeliveryState.unfinished()).exists()
