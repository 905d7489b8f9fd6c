"""The RQ job that sends, and the same for a process without RQ."""

import resource
import time
from typing import Any

import uvloop
from django.conf import settings
from django.db import connection

from apps.common.egress import EgressPolicy
from apps.common.garbage import seldom_collecting
from apps.delivery.engine.drain import Drain
from apps.delivery.engine.settings import DrainSettings, Tally
from apps.delivery.wake import call_help

# A drain whose loop has stood still for so long is stuck, in seconds.
_STUCK_AFTER_S = 30.0
_running: Drain | None = None


def drain(**overrides: Any) -> None:
    """Send what is due, and stay for a while in case more falls due. The job of the queue."""
    run_drain(**overrides)


def run_drain(**overrides: Any) -> Tally:
    """Run one drain to its end; `overrides` are fields of DrainSettings."""
    global _running
    _allow_many_sockets()
    _running = Drain(drain_settings(**overrides))
    try:
        with seldom_collecting():
            return uvloop.run(_running.run())
    finally:
        _running = None


def stop_running_drain() -> None:
    """Ask the drain of this process, if there is one, to end soon. Signal-safe."""
    if _running is not None:
        _running.stop()


def is_getting_on() -> bool:
    """Tell whether the drain of this process, if there is one, is not stuck."""
    drain = _running
    return drain is None or time.monotonic() - drain.seen_at_s < _STUCK_AFTER_S


def _allow_many_sockets() -> None:
    """Raise the number of open files to what this process may have: one a connection."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def drain_settings(**overrides: Any) -> DrainSettings:
    """Return how drains work in this process."""
    parameters = connection.get_connection_params()
    for django_only in ("cursor_factory", "context", "server_side_binding"):
        parameters.pop(django_only, None)
    return DrainSettings(
        **{
            "database": parameters,
            "redis_url": settings.REDIS_URL,
            "policy": EgressPolicy.from_strings(settings.EGRESS_ALLOW, settings.EGRESS_PROXY),
            "concurrency": settings.DELIVERY_CONCURRENCY,
            "lease_s": settings.DELIVERY_LEASE_S,
            "call_help": call_help,
            **overrides,
        }
    )
