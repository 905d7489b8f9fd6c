"""Whether anything is lost when workers, Redis and PostgreSQL are killed.

Deliveries are due, a worker sends them, and is killed at random moments; another takes its place.
Now and then Redis is wiped, or it or PostgreSQL killed and started again. At the end every delivery
has arrived; one that arrived twice was in flight at a kill: the receiver had it, and the database
did not know.
"""

import argparse
import random
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta

import redis
from django.db import connections
from django.utils import timezone

from bench.installation import Installation, installed
from bench.processes import wait_until
from bench.receiver import Receiver, receiving
from bench.result import Result

ENDPOINTS = 50
# A worker lives for at most so long after its first claim, and waits for that so long.
_LIFE_S = 1.0
_START_S = 30.0
# What the killed one had sent has arrived by then.
_SETTLE_S = 0.3
# Short, as what a killed worker held is looked at again only when its lease is over.
_LEASE_S = 12
_TIMEOUT_S = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark."""
    parser.add_argument("--deliveries", type=int, default=50_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--flushes", type=int, default=5, help="how often Redis is wiped")
    parser.add_argument(
        "--restarts", type=int, default=2, help="how often PostgreSQL is killed and started"
    )
    parser.add_argument(
        "--redis-restarts", type=int, default=2, help="how often Redis is killed and started"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    parser.add_argument(
        "--receiver-delay-ms", type=int, default=100, help="how long the receiver takes to answer"
    )
    parser.add_argument("--seconds", type=float, default=240.0, help="the most the end may take")


def measure(arguments: argparse.Namespace) -> Result:
    """Measure; void if anything was lost, or arrived twice that was not in flight at a kill."""
    chance = random.Random(arguments.seed)  # noqa: S311 - moments, not secrets
    with installed() as installation, receiving(installation.data_dir) as receiver:
        from bench.ledger import settle
        from bench.sending import is_unfinished, of_worlds
        from bench.tries import compare
        from bench.world import make_world, plant

        way = f"/delay/{arguments.receiver_delay_ms}" if arguments.receiver_delay_ms else "/ok"
        world = make_world(
            [receiver.url(f"{way}/{number}") for number in range(ENDPOINTS)], timeout_s=_TIMEOUT_S
        )
        planned = plant(world, arguments.deliveries)
        deliveries = of_worlds([world])
        began = time.monotonic()
        faults_of = _faults(chance, arguments)
        in_flight: set[tuple[uuid.UUID, uuid.UUID]] = set()
        for fault in faults_of:
            in_flight |= _kill_one(installation, receiver, chance, fault)
        with installation.manage("worker", DELIVERY_LEASE_S=str(_LEASE_S)):
            wait_until(lambda: not is_unfinished(deliveries), "Sending", arguments.seconds)
        seconds = time.monotonic() - began
        arrivals = receiver.ledger()
        ledger = settle(deliveries, arrivals, planned=planned)
        log = compare(deliveries, arrivals)
    again = sum(arrival.requests - 1 for arrival in arrivals.values())
    faults = [ledger.void_because, log.void_because]
    if again > len(in_flight):
        faults.append(f"{again:,} requests were repeated, {len(in_flight):,} were in flight.")
    return Result(
        name="chaos",
        rows=[
            ("Killed", f"{arguments.kills} workers, PostgreSQL {arguments.restarts} times"),
            ("Redis", f"killed {arguments.redis_restarts} times, wiped {arguments.flushes} times"),
            ("Until all had arrived", f"{seconds:10.0f} s"),
            ("In flight at the kills", f"{len(in_flight):10,}"),
            ("Arrived once more", f"{again:10,}, each under the webhook-id it had"),
            ("Log and receiver", log.in_words()),
            *ledger.rows(),
        ],
        figures={
            "ledger": ledger.figures(),
            "kills": arguments.kills,
            "flushes": arguments.flushes,
            "restarts": arguments.restarts,
            "redis_restarts": arguments.redis_restarts,
            "in_flight": len(in_flight),
            "repeated": again,
            "log_agrees": not log.void_because,
            "seconds": round(seconds, 1),
        },
        void_because=" ".join(filter(None, faults)),
    )


def _has_claimed() -> bool:
    """Tell whether something was claimed just now, or nothing is left to be claimed."""
    from apps.delivery.models import Delivery, DeliveryState

    pending = Delivery.objects.filter(state=DeliveryState.PENDING)
    just_now = timezone.now() + timedelta(seconds=_LEASE_S - 1)
    claimed = pending.filter(claim__isnull=False, leased_until__gt=just_now)
    return claimed.exists() or not pending.exists()


_Fault = Callable[[Installation], None]


def _faults(chance: random.Random, arguments: argparse.Namespace) -> Sequence[_Fault]:
    """Return what happens in the middle of the life of each worker, in a random order."""
    others = [
        *[_wipe_redis] * arguments.flushes,
        *[_restart_postgres] * arguments.restarts,
        *[_restart_redis] * arguments.redis_restarts,
    ]
    faults = [*others, *[_nothing] * (arguments.kills - len(others))]
    chance.shuffle(faults)
    return faults[: arguments.kills]


def _nothing(_: Installation) -> None:
    """Let the worker be, until it is killed."""


def _wipe_redis(installation: Installation) -> None:
    redis.Redis.from_url(installation.services.redis_url).flushall()


def _restart_redis(installation: Installation) -> None:
    """Kill it, and start it again: a worker without work leaves, one with work goes on."""
    server = installation.services.redis
    assert server is not None  # noqa: S101 - it is never left out here
    server.kill()
    server.start()


def _restart_postgres(installation: Installation) -> None:
    """Kill it, and start it again, as `manage.py up` does."""
    postgres = installation.services.postgres
    assert postgres is not None  # noqa: S101 - it is never left out here
    postgres.kill()
    connections.close_all()
    postgres.start()


def _kill_one(
    installation: Installation, receiver: Receiver, chance: random.Random, fault: _Fault
) -> set[tuple[uuid.UUID, uuid.UUID]]:
    """Run a worker until it is killed; return what was in flight then, by delivery and claim."""
    from apps.delivery.models import Delivery, DeliveryState

    with installation.manage("worker", DELIVERY_LEASE_S=str(_LEASE_S)) as worker:
        wait_until(_has_claimed, "The claim of a worker", _START_S)
        time.sleep(chance.uniform(0, _LIFE_S / 2))
        fault(installation)
        time.sleep(chance.uniform(0, _LIFE_S / 2))
        worker.kill()
    time.sleep(_SETTLE_S)
    arrivals = receiver.ledger()
    held = Delivery.objects.filter(state=DeliveryState.PENDING, claim__isnull=False)
    return {
        (delivery.pk, delivery.claim)
        for delivery in held.only("pk", "claim")
        if delivery.public_id in arrivals and delivery.claim is not None
    }
