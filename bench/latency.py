"""How long a delivery takes from the moment at which it is planned to its first byte.

Open loop: every hundredth of a second its share of the rate is planned, in one transaction as
intake does, by one of a few threads as those of a web process, with its collector of garbage,
however far behind the sending is. The time runs from the scheduled moment, so what a late planner
costs counts too.
"""

import argparse
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from django.db import connections

from apps.common.garbage import seldom_collecting
from bench.installation import installed
from bench.receiver import receiving
from bench.result import Result

_TICK_S = 0.01
_PLANNERS = 4
_SETTLE_S = 15.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark."""
    parser.add_argument("--rate", type=int, default=200, help="deliveries planned in a second")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--endpoints", type=int, default=50)


def measure(arguments: argparse.Namespace) -> Result:
    """Measure; void unless all that was planned arrived, and nothing is pending at the end."""
    paths = [f"/ok/{number}" for number in range(arguments.endpoints)]
    with installed() as installation, receiving(installation.data_dir) as receiver:
        from bench.ledger import settle
        from bench.sending import is_unfinished, of_worlds, warm_worker
        from bench.world import make_world, plan_later

        world = make_world([receiver.url(path) for path in paths])
        share = max(1, round(arguments.rate * _TICK_S))
        ticks = int(arguments.seconds * arguments.rate / share)
        shares = plan_later(world, [share] * ticks)
        with warm_worker(installation, receiver) as worker, seldom_collecting():
            began = time.monotonic() + _TICK_S
            moments = [began + number * share / arguments.rate for number in range(ticks)]
            with ThreadPoolExecutor(_PLANNERS) as planners:
                planned = [
                    planners.submit(_plan_at, moment, plan_share)
                    for moment, plan_share in zip(moments, shares, strict=True)
                ]
                scheduled = {
                    key: moment
                    for moment, keys in zip(moments, planned, strict=True)
                    for key in keys.result()
                }
                late_s = time.monotonic() - moments[-1]
                for _ in range(_PLANNERS):
                    planners.submit(connections.close_all)
            deliveries = of_worlds([world])
            settled_by = time.monotonic() + _SETTLE_S
            while is_unfinished(deliveries) and time.monotonic() < settled_by:
                time.sleep(0.05)
            rss_mb = worker.peak_rss_mb()
        arrivals = receiver.ledger()
        ledger = settle(deliveries, arrivals, planned=len(scheduled))
        waits = sorted(
            (arrivals[key].first_at - moment) * 1000
            for key, moment in scheduled.items()
            if key in arrivals
        )
    figures = {
        "ledger": ledger.figures(),
        "rate_per_s": arguments.rate,
        **{f"p{share}_ms": round(percentile(waits, share), 1) for share in (50, 95, 99)},
        "max_ms": round(waits[-1], 1) if waits else None,
        "planner_late_s": round(late_s, 3),
        "rss_mb": round(rss_mb, 1),
    }
    unsettled = f"{ledger.pending:,} are pending at the end." if ledger.pending else ""
    return Result(
        name="latency",
        rows=[
            ("Planned", f"{arguments.rate:10,} /s for {arguments.seconds:g} s"),
            *((name, f"{figures[f'{name}_ms']:10.1f} ms") for name in ("p50", "p95", "p99", "max")),
            *ledger.rows(),
        ],
        figures=figures,
        void_because=" ".join(filter(None, [ledger.void_because, unsettled])),
    )


def _plan_at(moment: float, plan_share: Callable[[], list[str]]) -> list[str]:
    """Plan a share at its moment, or at once if that is over."""
    time.sleep(max(0.0, moment - time.monotonic()))
    return plan_share()


def percentile(ordered: Sequence[float], share: int) -> float:
    """Return the value that so many percent of the ordered values do not exceed."""
    return ordered[max(0, math.ceil(len(ordered) * share / 100) - 1)]
