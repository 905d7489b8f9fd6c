"""How a drain works, and what it has done so far."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from apps.common.egress import EgressPolicy
from apps.delivery.retry import State


@dataclass(frozen=True, slots=True)
class DrainSettings:
    """How a drain works. `database` are psycopg's connection parameters; times in seconds.

    It ends after `linger_s` without work, and after `life_s` in any case. `call_help` is called,
    in a thread, while there is more to do than it has done in a while, and when its life ends in
    the middle of work.
    """

    database: Mapping[str, Any]
    redis_url: str
    policy: EgressPolicy
    concurrency: int = 512
    lease_s: float = 90.0
    linger_s: float = 30.0
    life_s: float = 600.0
    call_help: Callable[[], None] = lambda: None


@dataclass(slots=True)
class Tally:
    """What a drain has done so far."""

    claimed: int = 0
    tried: int = 0
    succeeded: int = 0
    failed: int = 0
    retried: int = 0

    def count(self, state: State) -> None:
        """Count one try by what it led to."""
        self.tried += 1
        if state is State.SUCCEEDED:
            self.succeeded += 1
        elif state is State.FAILED:
            self.failed += 1
        else:
            self.retried += 1
