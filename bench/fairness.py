"""Whether those who have little to send wait for those who have much, or for those who hang.

First: deliveries to healthy endpoints, alone and beside an endpoint that never answers and has a
backlog. Then: so many deliveries of one account are due, a worker is at them, and another account
takes a call: how long until its one delivery arrives, at worst of several times.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.installation import Installation, installed
from bench.processes import wait_until
from bench.receiver import Receiver, receiving
from bench.result import Figure, Result

if TYPE_CHECKING:
    from bench.ledger import Ledger

ENDPOINTS = 50
# Webhooks that one event starts: the 49 healthy ones are seven times seven.
_FAN_OUT = 7
# Calls of the small account, and how long the worker has been at the large backlog before each.
_TIMES = 5
_APART_S = 1.0
_PATIENCE_S = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark."""
    parser.add_argument("--due", type=int, default=1_000_000, help="due in the large account")
    parser.add_argument(
        "--deliveries", type=int, default=20_000, help="to the healthy endpoints, each time"
    )
    parser.add_argument(
        "--hanging", type=int, default=10_000, help="due to the endpoint that hangs"
    )
    parser.add_argument(
        "--rounds", type=int, default=4, help="how often the healthy ones are sent to in both ways"
    )
    parser.add_argument("--seconds", type=float, default=120.0, help="the most each may take")


def measure(arguments: argparse.Namespace) -> Result:
    """Measure; void unless the receiver has exactly what was planned and is not pending."""
    with installed() as installation, receiving(installation.data_dir) as receiver:
        from bench.ledger import together

        hanging = _beside_a_hanging_one(installation, receiver, arguments)
        beside = _beside_a_backlog(installation, receiver, arguments)
        ledger = together([*hanging.ledgers, beside.ledger])
    drop = 100 * (1 - hanging.beside_per_s / hanging.alone_per_s)
    figures: dict[str, Figure] = {
        "ledger": ledger.figures(),
        "due": beside.due,
        "small_account_s": round(beside.worst_s, 3),
        "rss_mb": round(beside.rss_mb, 1),
        "healthy_alone_per_s": round(hanging.alone_per_s, 1),
        "healthy_per_s": round(hanging.beside_per_s, 1),
        "healthy_drop": round(drop, 1),
    }
    return Result(
        name="fairness",
        rows=[
            (f"One beside {beside.due:,} due", f"{beside.worst_s:10.3f} s, at worst"),
            ("Worker memory, at most", f"{beside.rss_mb:10.0f} MB"),
            ("Healthy endpoints alone", f"{hanging.alone_per_s:10,.0f} /s"),
            ("Beside one that hangs", f"{hanging.beside_per_s:10,.0f} /s, {drop:.1f}% less"),
            *ledger.rows(),
        ],
        figures=figures,
        void_because=ledger.void_because,
    )


@dataclass(frozen=True, slots=True)
class _Backlog:
    due: int
    worst_s: float
    rss_mb: float
    ledger: "Ledger"


def _beside_a_backlog(
    installation: Installation, receiver: Receiver, arguments: argparse.Namespace
) -> _Backlog:
    from bench.ledger import settle
    from bench.sending import is_unfinished, of_worlds, warm_worker
    from bench.world import make_world, plant, switch, take_calls, unchecked

    large = make_world(
        [receiver.url(f"/ok/{number}") for number in range(ENDPOINTS)], fan_out=ENDPOINTS
    )
    with unchecked():
        due = plant(large, arguments.due)
    switch(large, on=False)
    small = make_world([receiver.url("/ok/small")])
    with warm_worker(installation, receiver) as worker:
        switch(large, on=True)
        moments: list[float] = []
        for _ in range(_TIMES):
            time.sleep(_APART_S)
            moments.append(time.monotonic())
            take_calls(small, 1)
            wait_until(
                lambda: not is_unfinished(of_worlds([small])), "The one delivery", _PATIENCE_S
            )
        rss_mb = worker.peak_rss_mb()
        switch(large, on=False)
    arrivals = receiver.ledger()
    arrived = [
        arrivals[delivery.public_id].first_at for delivery in of_worlds([small]).order_by("pk")
    ]
    deliveries = of_worlds([large, small])
    ledger = settle(deliveries, arrivals, planned=due + _TIMES)
    return _Backlog(
        due=due,
        worst_s=max(at - moment for at, moment in zip(arrived, moments, strict=True)),
        rss_mb=rss_mb,
        ledger=ledger,
    )


@dataclass(frozen=True, slots=True)
class _Hanging:
    alone_per_s: float
    beside_per_s: float
    ledgers: "Sequence[Ledger]"


def _beside_a_hanging_one(
    installation: Installation, receiver: Receiver, arguments: argparse.Namespace
) -> _Hanging:
    """Time the healthy endpoints in both ways, by turns: a slow moment is not booked to one."""
    from bench.sending import Sent, send_all
    from bench.world import make_world, plant

    runs: dict[bool, list[Sent]] = {False: [], True: []}
    for number in range(2 * arguments.rounds):
        is_beside = number % 2 == 1
        paths = [f"/ok/{number}/{index}" for index in range(ENDPOINTS - 1)]
        healthy = make_world([receiver.url(path) for path in paths], fan_out=_FAN_OUT)
        planned = plant(healthy, arguments.deliveries)
        beside = []
        if is_beside:
            stuck = make_world([receiver.url(f"/hang/{number}")])
            planned += plant(stuck, arguments.hanging)
            beside.append(stuck)
        runs[is_beside].append(
            send_all(
                installation,
                receiver,
                [healthy],
                planned=planned,
                seconds=arguments.seconds,
                beside=beside,
            )
        )
    rates = {
        way: sum(run.ledger.received for run in sent) / sum(run.seconds for run in sent)
        for way, sent in runs.items()
    }
    return _Hanging(
        alone_per_s=rates[False],
        beside_per_s=rates[True],
        ledgers=[run.ledger for sent in runs.values() for run in sent],
    )
