"""Whether sending slows down as its history grows.

The same deliveries are sent with empty tables, again with so many attempts of the past in them,
and once more with empty ones: a machine that changes its speed meanwhile is booked to both. With
the past there, the database is asked how it would claim what is due: by indexes alone, or not.
"""

import argparse
import time

from bench.installation import installed
from bench.receiver import receiving
from bench.result import Result

ENDPOINTS = 50
# Tries that each delivery of the past took: nearly all of the history is tries.
_TRIES = 5
# What the claim reads of tables that grow.
_GROWING = ("delivery_delivery", "delivery_attempt", "calls_callevent")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark."""
    parser.add_argument("--attempts", type=int, default=5_000_000, help="in the history")
    parser.add_argument("--deliveries", type=int, default=20_000, help="sent each time")
    parser.add_argument("--rounds", type=int, default=2, help="how often, without and with it")
    parser.add_argument("--seconds", type=float, default=120.0, help="the most each may take")


def measure(arguments: argparse.Namespace) -> Result:
    """Measure; void unless the receiver has exactly what was planned."""
    with installed() as installation, receiving(installation.data_dir) as receiver:
        from bench.history import claim_plan, forget_everything, write_history
        from bench.ledger import together
        from bench.sending import Sent, send_all
        from bench.world import make_world, plant

        def send() -> Sent:
            world = make_world([receiver.url(f"/ok/{number}") for number in range(ENDPOINTS)])
            return send_all(
                installation,
                receiver,
                [world],
                planned=plant(world, arguments.deliveries),
                seconds=arguments.seconds,
            )

        afterwards = arguments.rounds // 2
        empty = [send() for _ in range(arguments.rounds - afterwards)]
        began = time.monotonic()
        attempts = write_history(
            [receiver.url(f"/ok/old/{number}") for number in range(ENDPOINTS)],
            deliveries=arguments.attempts // _TRIES,
            tries=_TRIES,
        )
        took_s = time.monotonic() - began
        grown = [send() for _ in range(arguments.rounds)]
        read_whole = claim_plan().read_whole(_GROWING)
        forget_everything()
        empty += [send() for _ in range(afterwards)]
        ledger = together([run.ledger for run in (*empty, *grown)])
    rates = [
        sum(run.ledger.received for run in runs) / sum(run.seconds for run in runs)
        for runs in (empty, grown)
    ]
    return Result(
        name="growth",
        rows=[
            ("History", f"{attempts:10,} attempts, written in {took_s:.0f} s"),
            ("Rate, empty", f"{rates[0]:10,.0f} /s"),
            ("Rate, with it", f"{rates[1]:10,.0f} /s, {rates[1] / rates[0]:.2f} x"),
            ("Claim reads whole", ", ".join(read_whole) or "no table"),
            *ledger.rows(),
        ],
        figures={
            "ledger": ledger.figures(),
            "attempts": attempts,
            "empty_per_s": round(rates[0], 1),
            "rate_per_s": round(rates[1], 1),
            "growth_ratio": round(rates[1] / rates[0], 3),
            "claim_by_index_only": not read_whole,
        },
        void_because=ledger.void_because,
    )
