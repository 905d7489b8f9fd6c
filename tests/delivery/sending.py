"""Taking events in and sending what they planned, as intake and the workers do."""

import asyncio
import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from django.db import connection
from django.utils import timezone

from apps.accounts.access import access_of_key
from apps.delivery.engine.drain import Drain
from apps.delivery.engine.settings import Tally
from apps.delivery.jobs import drain_settings, run_drain
from apps.delivery.models import Delivery, DeliveryState
from apps.intake.services import Receipt, accept_events
from tests.builders import World, event
from tests.common.processes import python, wait_until

# How long a busy machine may take; what waits ends as soon as it can.
PATIENCE_S = 60.0


def take(world: World, *bodies: dict[str, Any]) -> Receipt:
    """Take events in for the world's key; every one must be accepted."""
    receipt = accept_events(access=access_of_key(world.key), bodies=bodies)
    assert not receipt.rejected
    return receipt


def take_calls(world: World, count: int, prefix: str = "call") -> None:
    """Take the begin of so many calls in."""
    take(world, *(event(world, call_id=f"{prefix}{number}") for number in range(count)))


def drain(**overrides: Any) -> Tally:
    """Send what is due now."""
    return run_drain(**{"linger_s": 0.0, **overrides})


@contextmanager
def running_drain(**overrides: Any) -> Iterator[Drain]:
    """Send what falls due while the block runs, from a thread of its own; then stop."""
    drain = Drain(drain_settings(**overrides))
    failures: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(drain.run())
        except BaseException as error:  # noqa: BLE001 - reported by the test's own thread
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield drain
    finally:
        drain.stop()
        thread.join(30)
    assert not thread.is_alive()
    assert not failures, failures


def fall_due(*deliveries: Delivery) -> None:
    """Let the next try of these be due, and their leases be over, without the wait."""
    now = timezone.now()
    Delivery.objects.filter(pk__in=[each.pk for each in deliveries]).update(
        next_attempt_at=now, leased_until=now
    )


def states() -> list[str]:
    """Return the state of every delivery, oldest first."""
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def wait_until_sent() -> None:
    """Wait until no delivery is unfinished."""
    unfinished: Sequence[str] = DeliveryState.unfinished()
    wait_until(lambda: not Delivery.objects.filter(state__in=unfinished).exists(), PATIENCE_S)


@contextmanager
def kept_running(name: str, redis_url: str, **settings: str) -> Iterator[None]:
    """Run a management command and start it again whenever it ends, as a supervisor does."""
    over = threading.Event()

    def keep() -> None:
        while not over.is_set():
            with command(name, redis_url, **settings) as process:
                while process.poll() is None and not over.wait(0.05):
                    pass

    thread = threading.Thread(target=keep)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(PATIENCE_S)
    assert not thread.is_alive()


@contextmanager
def command(name: str, redis_url: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """Run a management command in a process of its own, on this test's database."""
    url = urlsplit(os.environ["DATABASE_URL"])
    database = url._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    env = {"DATABASE_URL": database, "REDIS_URL": redis_url, **settings}
    with python("manage.py", name, env=env) as process:
        yield process
