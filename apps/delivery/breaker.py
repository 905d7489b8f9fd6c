"""When an endpoint is left alone for a while, and when it counts as back. Pure: no clock, no I/O.

The breaker has three positions. Closed: everything is sent. Open: nothing is, until `probe_at`.
Half-open, from then on: one delivery is let through as a probe, and its outcome decides. The
figures are those of docs/delivery.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

WINDOW: Final = timedelta(minutes=5)
# The window slides by this much.
SLICE: Final = timedelta(seconds=15)
MIN_TRIES: Final = 10
FAILING_SHARE: Final = 0.70
FIRST_PROBE_S: Final = 30
LAST_PROBE_S: Final = 600
# After a probe that said nothing about the endpoint, as one that never left.
UNDECIDED_PROBE_S: Final = 5
# Failures in a row by which an endpoint counts as failing; a single bad payload has fewer.
FAILING_AFTER: Final = 3
# A backlog is released this seldom, so that an endpoint that comes and goes, or a few deliveries
# that it will never take, do not use up their tries in minutes.
RELEASE_PAUSE: Final = timedelta(minutes=10)


class Position(StrEnum):
    """Where a breaker stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Tally:
    """Tries of one endpoint that ended together, by what they say of it.

    `undecided` ones say nothing: they failed on our side. `ended_well` is about the last of the
    others.
    """

    successes: int = 0
    failures: int = 0
    undecided: int = 0
    ended_well: bool = True

    def plus(self, later: "Tally") -> "Tally":
        """Return both together."""
        says_something = later.successes or later.failures
        return Tally(
            self.successes + later.successes,
            self.failures + later.failures,
            self.undecided + later.undecided,
            later.ended_well if says_something else self.ended_well,
        )


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of an endpoint; times are aware.

    `slices` counts the tries of the last minutes: number of the slice of time, tries, failures,
    oldest first. The breaker is closed when `probe_at` is None; `is_probing` says that a probe is
    under way, and `probe_at` is then when it is given up. `release_at` is from when on the backlog
    is to be made due, None for not at all; `released_at` is that of the last time.
    """

    last_success_at: datetime | None = None
    last_failure_at: datetime | None = None
    failing_since: datetime | None = None
    failures_in_row: int = 0
    slices: Sequence[Sequence[int]] = ()
    opened_at: datetime | None = None
    probe_at: datetime | None = None
    probe_wait_s: int = 0
    is_probing: bool = False
    release_at: datetime | None = None
    released_at: datetime | None = None

    def position(self, now: datetime) -> Position:
        """Tell where the breaker stands."""
        return position(self.probe_at, self.is_probing, now)

    @property
    def is_calm(self) -> bool:
        """Tell whether further successes would change nothing but counts."""
        return self.probe_at is None and self.failing_since is None


def position(probe_at: datetime | None, is_probing: bool, now: datetime) -> Position:
    """Tell where a breaker stands, by what `Health` knows of its probe."""
    if probe_at is None:
        return Position.CLOSED
    return Position.HALF_OPEN if is_probing or probe_at <= now else Position.OPEN


def after(health: Health, tally: Tally, now: datetime) -> Health:
    """Return the health after some more tries, which ended just now."""
    counted = _counted(health, tally, now)
    moved = _probed(counted, tally, now) if health.probe_at else _opened(counted, now)
    if _is_failing(moved):
        # What has begun goes on; what was put off would be in vain.
        is_put_off = moved.release_at is not None and moved.release_at > now
        return replace(moved, release_at=None) if is_put_off else moved
    if not (_is_failing(health) and tally.successes) or moved.release_at is not None:
        return moved
    paused_until = now if moved.released_at is None else moved.released_at + RELEASE_PAUSE
    return replace(moved, release_at=max(now, paused_until))


def _is_failing(health: Health) -> bool:
    return health.failures_in_row >= FAILING_AFTER or health.probe_at is not None


def _counted(health: Health, tally: Tally, now: datetime) -> Health:
    """Add the tries to the window, and to the row of failures that may be going on."""
    if tally.successes:
        health = replace(health, last_success_at=now, failing_since=None, failures_in_row=0)
    if tally.failures:
        health = replace(health, last_failure_at=now)
    if tally.failures and not (tally.successes and tally.ended_well):
        health = replace(
            health,
            failing_since=health.failing_since or now,
            failures_in_row=health.failures_in_row + (1 if tally.successes else tally.failures),
        )
    return replace(health, slices=_slid(health.slices, tally, now))


def in_window(slices: Sequence[Sequence[int]], now: datetime) -> tuple[int, int]:
    """Return how many tries ended within the window, and how many of them failed."""
    kept = [each for each in slices if each[0] > _number(now - WINDOW)]
    return sum(tries for _, tries, _ in kept), sum(failures for _, _, failures in kept)


def _slid(slices: Sequence[Sequence[int]], tally: Tally, now: datetime) -> Sequence[Sequence[int]]:
    """Add the tries to the slice of this moment, and drop what is older than the window."""
    kept = [each for each in slices if each[0] > _number(now - WINDOW)]
    tries = tally.successes + tally.failures
    if not tries:
        return tuple(kept)
    number, failures = _number(now), tally.failures
    if kept and kept[-1][0] >= number:
        number, before, failed_before = kept.pop()
        tries, failures = tries + before, failures + failed_before
    return (*kept, (number, tries, failures))


def _number(moment: datetime) -> int:
    return int(moment.timestamp() // SLICE.total_seconds())


def _opened(health: Health, now: datetime) -> Health:
    """Open a closed breaker if too much of the window failed."""
    tries, failures = in_window(health.slices, now)
    if tries < MIN_TRIES or failures < FAILING_SHARE * tries:
        return health
    return replace(
        health,
        opened_at=now,
        probe_at=now + timedelta(seconds=FIRST_PROBE_S),
        probe_wait_s=FIRST_PROBE_S,
        is_probing=False,
    )


def _probed(health: Health, tally: Tally, now: datetime) -> Health:
    """Close an open breaker by the success of its probe, or put the next probe off.

    Without a probe these are tries that had begun before it opened: they decide nothing.
    """
    if not health.is_probing:
        return health
    if tally.successes:
        return replace(
            health,
            slices=(),
            opened_at=None,
            probe_at=None,
            probe_wait_s=0,
            is_probing=False,
        )
    wait_s, next_wait_s = health.probe_wait_s, health.probe_wait_s
    if tally.failures:
        wait_s = next_wait_s = min(2 * health.probe_wait_s, LAST_PROBE_S)
    elif tally.undecided:
        wait_s = UNDECIDED_PROBE_S
    return replace(
        health,
        probe_at=now + timedelta(seconds=wait_s),
        probe_wait_s=next_wait_s,
        is_probing=False,
    )
