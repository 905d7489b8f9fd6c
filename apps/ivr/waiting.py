"""How many callers of one account wait in this process, so that its slow receivers leave threads
to everybody else: each who waits holds one.

The limit holds for accounts with a receiver that has been slow lately. To one that answers in time,
many callers at once are no harm, and none of them should miss its answer.
"""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

SLOW_S = 1.0
REMEMBERED_S = 60.0

_changing = threading.Lock()


@dataclass(slots=True)
class _Waiters:
    """The callers of an account who wait now, and until when it counts as slow."""

    count: int = 0
    slow_until: float = 0.0


_of_accounts: dict[uuid.UUID, _Waiters] = {}


@contextmanager
def place_to_wait(account_id: uuid.UUID, *, most: int) -> Iterator[bool]:
    """Take a place for the length of the block; False where it is slow and `most` wait already."""
    began = monotonic()
    with _changing:
        waiters = _of_accounts.setdefault(account_id, _Waiters())
        is_free = waiters.count < most or waiters.slow_until < began
        waiters.count += is_free
    try:
        yield is_free
    finally:
        now = monotonic()
        with _changing:
            waiters.count -= is_free
            if now - began > SLOW_S:
                waiters.slow_until = now + REMEMBERED_S
            if not waiters.count and waiters.slow_until < now:
                _of_accounts.pop(account_id, None)
