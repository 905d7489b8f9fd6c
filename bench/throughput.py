"""How many deliveries one worker sends in a second, beside the naive way and HTTP clients alone.

All deliveries are planned, signed and due at one moment; the rate counts from then until the last
is recorded. Beside it, in the same run against the same receiver: the naive way, one RQ job a
delivery with `requests`; the ceiling, aiohttp on uvloop with nothing around it; and the worker's
own client alone, which takes a part of aiohttp's time.
"""

import argparse

from bench.ceiling import measure_ceiling
from bench.installation import Installation, installed
from bench.naive import WORKERS, measure_naive
from bench.receiver import Receiver, receiving
from bench.result import Result


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark."""
    parser.add_argument("--deliveries", type=int, default=20_000)
    parser.add_argument("--endpoints", type=int, default=50)
    parser.add_argument("--fan-out", type=int, default=1, help="webhooks that one event starts")
    parser.add_argument(
        "--receiver-delay-ms", type=int, default=0, help="how long the receiver takes to answer"
    )
    parser.add_argument("--seconds", type=float, default=300.0, help="the most it may take")
    parser.add_argument(
        "--reference-seconds",
        type=float,
        default=4.0,
        help="how long the ceiling and the naive way are measured; 0 leaves them out",
    )


def measure(arguments: argparse.Namespace) -> Result:
    """Measure; void unless the receiver has exactly what was planned."""
    way = f"/delay/{arguments.receiver_delay_ms}" if arguments.receiver_delay_ms else "/ok"
    paths = [f"{way}/{number}" for number in range(arguments.endpoints)]
    with installed() as installation, receiving(installation.data_dir) as receiver:
        from bench.sending import send_all
        from bench.world import make_world, plant

        world = make_world([receiver.url(path) for path in paths], fan_out=arguments.fan_out)
        planned = plant(world, arguments.deliveries)
        sent = send_all(installation, receiver, [world], planned=planned, seconds=arguments.seconds)
        figures, rows = sent.figures(), sent.rows()
        if arguments.reference_seconds:
            rates = {}
            for name, client in (("ceiling", "aiohttp"), ("client", "own")):
                alone = measure_ceiling(
                    receiver, client, paths=paths, seconds=arguments.reference_seconds
                )
                label = "aiohttp alone" if client == "aiohttp" else "Its own client alone"
                rows.append((label, f"{alone.cpu_us:.0f} µs of processor time"))
                figures[f"{name}_cpu_us"] = round(alone.cpu_us, 1)
                rates[name] = alone.rate_per_s
            rates |= _naive_rates(installation, receiver, paths, arguments.reference_seconds)
            for name, rate in rates.items():
                ratio = sent.rate_per_s / rate
                figures |= {f"{name}_per_s": round(rate, 1), f"{name}_ratio": round(ratio, 3)}
                rows.append((f"Against {name}", f"{ratio:10.2f} x of {rate:,.0f} /s"))
    return Result(
        name="throughput", rows=rows, figures=figures, void_because=sent.ledger.void_because
    )


def _naive_rates(
    installation: Installation, receiver: Receiver, paths: list[str], seconds: float
) -> dict[str, float]:
    """Return what the naive way gets done in a second, by both workers of RQ."""
    return {
        name: measure_naive(
            receiver,
            worker_class,
            redis_url=installation.services.redis_url,
            paths=paths,
            seconds=seconds,
            folder=installation.data_dir,
        )
        for name, worker_class in WORKERS.items()
    }
