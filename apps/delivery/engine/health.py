"""Keeping the health of endpoints: one row a webhook, written with the tries that it is about."""

import datetime as dt
import time
import uuid
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from psycopg import AsyncConnection, sql
from psycopg.types.json import Jsonb

from apps.delivery.breaker import Health, Tally, after
from apps.delivery.engine.records import Tried
from apps.delivery.outcome import ErrorKind
from apps.delivery.retry import State

# Successes of an endpoint that is well are gathered this long before its row is touched.
GATHER_S = 1.0
# Deliveries that one step of a release moves, so that nobody waits long for their locks, and what
# a turn of it may take in seconds, as nothing is claimed meanwhile.
RELEASE_STEP = 500
RELEASE_TURN_S = 0.1

_COLUMNS = [each.name for each in fields(Health)]
_TYPES = {
    "failures_in_row": "int",
    "slices": "jsonb",
    "probe_wait_s": "int",
    "is_probing": "bool",
}
_READ = sql.SQL(
    "SELECT webhook_id, clock_timestamp(), {columns} FROM delivery_endpointhealth"
    " WHERE webhook_id = ANY (%s) ORDER BY webhook_id FOR NO KEY UPDATE"
).format(columns=sql.SQL(", ").join(map(sql.Identifier, _COLUMNS)))
_WRITE = sql.SQL(
    "UPDATE delivery_endpointhealth health SET {assignments}"
    " FROM unnest(%s::uuid[], {arrays}) AS now_known(webhook_id, {columns})"
    " WHERE health.webhook_id = now_known.webhook_id"
).format(
    assignments=sql.SQL(", ").join(
        sql.SQL("{0} = now_known.{0}").format(sql.Identifier(name)) for name in _COLUMNS
    ),
    arrays=sql.SQL(", ").join(
        sql.SQL("%s::" + _TYPES.get(name, "timestamptz") + "[]") for name in _COLUMNS
    ),
    columns=sql.SQL(", ").join(map(sql.Identifier, _COLUMNS)),
)
# In any order, so that one with a long backlog keeps no other back.
_FLAGGED = """
SELECT webhook_id, release_at FROM delivery_endpointhealth WHERE release_at <= now()
ORDER BY random() LIMIT %s
"""
_MOST_FLAGGED = 50
# What is due soonest is read first, so that a step reads what it moves and no more. All of it gets
# a moment of the second before the release began, by its age: the oldest goes first.
_RELEASE = """
UPDATE delivery_delivery delivery
SET next_attempt_at = %(began_at)s - least(
  greatest(%(began_at)s - delivery.created_at, interval '0') / 1000000, interval '1 second')
FROM (
  SELECT id FROM delivery_delivery
  WHERE webhook_id = %(webhook)s AND state = 'pending' AND claim IS NULL
    AND next_attempt_at > now() + interval '1 second'
    AND (wait_until IS NULL OR attempt_count > 0)
  ORDER BY next_attempt_at LIMIT %(step)s FOR NO KEY UPDATE SKIP LOCKED
) held
WHERE delivery.id = held.id
"""
_RELEASED = """
UPDATE delivery_endpointhealth SET release_at = NULL, released_at = release_at
WHERE webhook_id = %s AND release_at = %s
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a recording says of the endpoints, and what it found out."""

    tallies: Mapping[uuid.UUID, Tally]
    # Of endpoints that are well: written later, many together.
    left_out: Mapping[uuid.UUID, Tally] = field(default_factory=dict)
    known: dict[uuid.UUID, Health] = field(default_factory=dict)

    def opened(self) -> list[uuid.UUID]:
        """Return the webhooks that nothing is to be sent to now."""
        return [
            key for key, health in self.known.items() if health.probe_at and not health.is_probing
        ]

    def to_release(self) -> bool:
        """Tell whether a backlog is to be released now."""
        now = dt.datetime.now(dt.UTC)
        return any(each.release_at and each.release_at <= now for each in self.known.values())


class HealthBook:
    """Gathers tries by endpoint, so that one that is well costs a row a second at most."""

    def __init__(self) -> None:
        self._gathered: dict[uuid.UUID, Tally] = {}
        self._calm: set[uuid.UUID] = set()
        self._last_at = 0.0

    def __bool__(self) -> bool:
        return bool(self._gathered)

    def entry(self, tried: Iterable[Tried], *, everything: bool = False) -> Entry:
        """Return what is to be written along with these tries; changes nothing."""
        fresh = tallies_of(tried)
        tallies = dict(self._gathered)
        for key, tally in fresh.items():
            tallies[key] = tallies[key].plus(tally) if key in tallies else tally
        if everything or time.monotonic() - self._last_at >= GATHER_S:
            return Entry(tallies)
        urgent = {
            key: tallies[key]
            for key, tally in fresh.items()
            if tally.failures or tally.undecided or key not in self._calm
        }
        return Entry(urgent, {key: tally for key, tally in fresh.items() if key not in urgent})

    def settle(self, entry: Entry) -> None:
        """Take note that the entry is stored, and gather what it left out."""
        for key, tally in entry.left_out.items():
            gathered = self._gathered.get(key)
            self._gathered[key] = gathered.plus(tally) if gathered else tally
        for key in entry.tallies:
            self._gathered.pop(key, None)
        for key, health in entry.known.items():
            (self._calm.add if health.is_calm else self._calm.discard)(key)
        if not self._gathered:
            self._last_at = time.monotonic()


def tallies_of(tried: Iterable[Tried]) -> dict[uuid.UUID, Tally]:
    """Count tries by endpoint; one that never got as far as sending says nothing of it."""
    kinds: dict[uuid.UUID, list[str]] = {}
    for each in tried:
        kinds.setdefault(each.held.webhook_id, []).append(_kind(each))
    return {key: _tally(of_one) for key, of_one in kinds.items()}


def _kind(tried: Tried) -> str:
    if tried.verdict.state is State.SUCCEEDED:
        return "success"
    kind = tried.outcome.error_kind
    ours = not tried.verdict.spends_try or kind in (ErrorKind.RENDER, ErrorKind.LOST)
    return "undecided" if ours else "failure"


def _tally(kinds: Sequence[str]) -> Tally:
    decided = [kind for kind in kinds if kind != "undecided"]
    successes = decided.count("success")
    return Tally(
        successes=successes,
        failures=len(decided) - successes,
        undecided=len(kinds) - len(decided),
        ended_well=not decided or decided[-1] == "success",
    )


async def write(connection: AsyncConnection[Any], entry: Entry) -> None:
    """Fold an entry into the rows of its endpoints. Runs in the caller's transaction, last.

    Two statements, whatever the number of tries.
    """
    entry.known.clear()
    if not entry.tallies:
        return
    cursor = await connection.execute(_READ, [list(entry.tallies)])
    for key, now, *columns in await cursor.fetchall():
        entry.known[key] = after(Health(*columns), entry.tallies[key], now)
    columns_now = [
        [_stored(getattr(each, name)) for each in entry.known.values()] for name in _COLUMNS
    ]
    await connection.execute(_WRITE, [list(entry.known), *columns_now])


def _stored(value: Any) -> Any:
    return Jsonb(value) if isinstance(value, (list, tuple)) else value


async def release_backlogs(connection: AsyncConnection[Any]) -> bool:
    """Make backlogs of endpoints that are back due, in turns; return whether there is more.

    It takes a moment, however long they are; whoever comes next goes on. Deliveries under a lease
    are left alone.
    """
    until = time.monotonic() + RELEASE_TURN_S
    flagged = await (await connection.execute(_FLAGGED, [_MOST_FLAGGED])).fetchall()
    waiting = deque(flagged)
    while waiting:
        webhook_id, began_at = waiting.popleft()
        cursor = await connection.execute(
            _RELEASE, {"webhook": webhook_id, "began_at": began_at, "step": RELEASE_STEP}
        )
        if cursor.rowcount < RELEASE_STEP:
            await connection.execute(_RELEASED, [webhook_id, began_at])
        else:
            waiting.append((webhook_id, began_at))
        if time.monotonic() > until:
            break
    return bool(waiting) or len(flagged) == _MOST_FLAGGED
