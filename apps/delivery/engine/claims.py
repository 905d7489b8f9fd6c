"""Claiming what is due: fairly over all webhooks, each delivery by one claimer at a time."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from apps.delivery.engine.database import array
from apps.delivery.retry import MOST_LOST

# The webhooks that have work, by a loose index scan.
_LINE = """line AS (
  (SELECT webhook_id FROM delivery_delivery
   WHERE state = 'pending' AND webhook_id > %(after)s
   ORDER BY webhook_id LIMIT 1)
  UNION ALL
  SELECT (SELECT delivery.webhook_id FROM delivery_delivery delivery
          WHERE delivery.state = 'pending' AND delivery.webhook_id > line.webhook_id
          ORDER BY delivery.webhook_id LIMIT 1)
  FROM line WHERE line.webhook_id IS NOT NULL
)"""
# Each of them gives up to `per_webhook` rows: the cost depends on the number of such webhooks, not
# on how much is due for one of them. They are updated without a join, so that each is looked up by
# its key even where the planner takes the table for empty.
# Webhooks with a limit or an open breaker are few, and go another way: whoever locks their row of
# health may take what the row allows, one worker at a time. One with a limit of requests at the
# same time is held by the worker that took last, for as long as a lease; the others leave it alone.
_CLAIM = """
WITH RECURSIVE {line}, gate AS MATERIALIZED (
  SELECT health.webhook_id, health.probe_at IS NOT NULL AS is_probe,
    CASE WHEN health.rate_per_s IS NOT NULL THEN {tokens} END AS tokens
  FROM delivery_endpointhealth health
  JOIN webhooks_webhook webhook ON webhook.id = health.webhook_id AND webhook.is_active
  JOIN accounts_account account ON account.id = webhook.account_id AND account.is_active
  WHERE {is_gated}
    AND (health.probe_at IS NULL OR health.probe_at <= now())
    AND (health.rate_per_s IS NULL OR {tokens} >= 1)
    AND (health.concurrency IS NULL OR health.held_until IS NULL OR health.held_until <= now()
      OR health.holder = %(worker)s)
    AND health.webhook_id <> ALL (%(busy)s::uuid[])
    AND now() >= (
      SELECT delivery.next_attempt_at FROM delivery_delivery delivery
      WHERE delivery.webhook_id = health.webhook_id AND delivery.state = 'pending'
        AND {is_free}
      ORDER BY delivery.next_attempt_at LIMIT 1)
  ORDER BY health.tokens_at NULLS FIRST
  LIMIT %(gates)s FOR NO KEY UPDATE OF health SKIP LOCKED
), admitted AS (
  SELECT picked.id, picked.lost_at, gate.webhook_id
  FROM gate
  LEFT JOIN unnest(%(hungry)s::uuid[], %(rooms)s::int[]) AS known(webhook_id, room)
    ON known.webhook_id = gate.webhook_id
  CROSS JOIN LATERAL (
    SELECT delivery.id, {lost_at} AS lost_at FROM delivery_delivery delivery
    WHERE delivery.webhook_id = gate.webhook_id
      AND delivery.state = 'pending' AND delivery.next_attempt_at <= now() AND {is_free}
      AND (delivery.expires_at IS NULL OR delivery.expires_at > now())
    ORDER BY delivery.next_attempt_at
    LIMIT CASE WHEN gate.is_probe THEN 1
      ELSE least(floor(gate.tokens), coalesce(known.room, %(per_webhook)s))::int END
    FOR UPDATE SKIP LOCKED
  ) picked
), taken AS (
  UPDATE delivery_endpointhealth health
  SET tokens = coalesce(gate.tokens - spent.count, 0), tokens_at = now(),
    holder = CASE WHEN health.concurrency IS NOT NULL THEN %(worker)s::uuid END,
    held_until = CASE WHEN health.concurrency IS NOT NULL
      THEN now() + make_interval(secs => %(lease_s)s) END,
    is_probing = gate.is_probe,
    probe_at = CASE WHEN gate.is_probe THEN now() + make_interval(secs => %(lease_s)s) END
  FROM gate JOIN (SELECT webhook_id, count(*) FROM admitted GROUP BY webhook_id) spent
    ON spent.webhook_id = gate.webhook_id
  WHERE health.webhook_id = gate.webhook_id
), wanted AS (
  SELECT line.webhook_id, %(per_webhook)s AS room FROM line
  WHERE line.webhook_id <> ALL (%(known)s::uuid[])
  UNION ALL
  SELECT hungry.webhook_id, hungry.room
  FROM unnest(%(hungry)s::uuid[], %(rooms)s::int[]) AS hungry(webhook_id, room)
), due AS (
  (SELECT picked.id, picked.lost_at
  FROM wanted
  JOIN webhooks_webhook webhook ON webhook.id = wanted.webhook_id AND webhook.is_active
  JOIN accounts_account account ON account.id = webhook.account_id AND account.is_active
  CROSS JOIN LATERAL (
    SELECT delivery.id, {lost_at} AS lost_at FROM delivery_delivery delivery
    WHERE delivery.webhook_id = wanted.webhook_id
      AND delivery.state = 'pending' AND delivery.next_attempt_at <= now() AND {is_free}
      AND (delivery.expires_at IS NULL OR delivery.expires_at > now())
    ORDER BY delivery.next_attempt_at
    LIMIT wanted.room FOR UPDATE SKIP LOCKED
  ) picked
  WHERE NOT EXISTS (
      SELECT FROM delivery_endpointhealth health
      WHERE health.webhook_id = wanted.webhook_id AND {is_gated})
  LIMIT %(limit)s)
  UNION ALL
  SELECT id, lost_at FROM admitted
), lost AS (
  INSERT INTO delivery_attempt (id, created_at, account_id, delivery_id, number, started_at,
    method, url, request_headers, request_body, response_headers, response_body,
    is_response_truncated, error_kind, error_message, total_ms, worker, sends)
  SELECT hookline_new_id(), now(), delivery.account_id, delivery.id, delivery.attempt_count + 1,
    {lost_at}, webhook.method, webhook.url, '{}', '', '[]', '', false, 'lost', %(lost)s, 0, '', 1
  FROM delivery_delivery delivery
  JOIN webhooks_webhook webhook ON webhook.id = delivery.webhook_id
  WHERE delivery.id = ANY (ARRAY(SELECT due.id FROM due WHERE due.lost_at IS NOT NULL))
), claimed AS (
  UPDATE delivery_delivery delivery
  SET claim = CASE WHEN NOT {rests} THEN %(claim)s::uuid END,
    leased_until = CASE WHEN NOT {rests} THEN now() + make_interval(secs => %(lease_s)s) END,
    next_attempt_at = CASE WHEN {rests} THEN now() + {rest} ELSE delivery.next_attempt_at END,
    attempt_count = least(delivery.attempt_count + (delivery.claim IS NOT NULL)::int, {most_tries}),
    lost_count = least(delivery.lost_count + (delivery.claim IS NOT NULL)::int, {most_lost})
  WHERE delivery.id = ANY (ARRAY(SELECT due.id FROM due))
  RETURNING delivery.*
)
SELECT claimed.id, claimed.account_id, claimed.webhook_id, claimed.template_version_id,
  claimed.call_id, coalesce(claimed.content_event_id, claimed.event_id),
  claimed.attempt_count, claimed.lost_count, webhook.revision,
  %(loop_time)s + extract(epoch FROM claimed.expires_at - now())::float, claimed.changed_paths,
  claimed.last_error
FROM claimed JOIN webhooks_webhook webhook ON webhook.id = claimed.webhook_id
WHERE claimed.claim IS NOT NULL
"""
# A bucket holds what comes in during a quarter of a second, or one; it is full at first.
_TOKENS = """least(greatest(1, health.rate_per_s / 4), health.tokens
  + health.rate_per_s
  * greatest(0, coalesce(extract(epoch FROM now() - health.tokens_at), 3600))::float)"""
# A claim that is still there was never recorded or given back. This is when it was made.
_LOST_AT = """CASE WHEN delivery.claim IS NOT NULL
      THEN delivery.leased_until - make_interval(secs => %(lease_s)s) END"""
# What is under a lease is passed over: there is little of it. That a lease is in no index spares an
# entry in every index of the table.
_IS_FREE = "(delivery.leased_until IS NULL OR delivery.leased_until <= now())"
# What the column holds, less one: a delivery that kills whoever sends it must not stop the claims.
_MOST_TRIES = 32_766
# What is lost with its worker again is suspected of ending it, and so is all that was held with it.
# It rests, each for another while, so that they part: those that do no harm are sent, and the one
# that does is lost alone. What was lost too often is claimed once more, to be ended.
_RESTS = f"(delivery.claim IS NOT NULL AND delivery.lost_count BETWEEN 1 AND {MOST_LOST - 2})"
_REST = """make_interval(secs =>
      least(86400, power(4, delivery.lost_count)) * (0.25 + 0.75 * random()))"""
# As the index over such rows has it.
_IS_GATED = """(health.probe_at IS NOT NULL OR health.rate_per_s IS NOT NULL
      OR health.concurrency IS NOT NULL)"""
_CLAIM = (
    _CLAIM.replace("{line}", _LINE)
    .replace("{tokens}", _TOKENS)
    .replace("{lost_at}", _LOST_AT)
    .replace("{is_gated}", _IS_GATED)
    .replace("{is_free}", _IS_FREE)
    .replace("{most_tries}", str(_MOST_TRIES))
    .replace("{most_lost}", str(MOST_LOST))
    .replace("{rests}", _RESTS)
    .replace("{rest}", _REST)
)
# What the log says of a try that nobody can tell the end of.
LOST = "A worker died while it held this delivery; it may have arrived."
# Webhooks with a limit or an open breaker that one claim serves.
MOST_GATES = 64
_SNAPSHOTS = """
SELECT id, CASE WHEN octet_length(text) <= %s THEN text END
FROM (
  SELECT id, snapshot::text AS text FROM calls_callevent WHERE id = ANY (%s::uuid[]) OFFSET 0
) event
"""
# A snapshot of more is read when its turn comes.
LARGE_BYTES = 16_384
_GIVE_BACK = """
UPDATE delivery_delivery
SET claim = NULL, leased_until = now() + make_interval(secs => %s)
WHERE id = ANY (%s::uuid[]) AND claim = ANY (%s::uuid[]) AND state = 'pending'
"""
# A probe that was given back is not under way: the next claim takes another.
_FREE_PROBES = """
UPDATE delivery_endpointhealth SET is_probing = false, probe_at = now()
WHERE webhook_id = ANY (%s::uuid[]) AND is_probing
"""
_LET_GO = """
UPDATE delivery_endpointhealth health SET holder = NULL, held_until = NULL
WHERE {is_gated} AND holder = %s AND webhook_id = ANY (%s::uuid[])
""".replace("{is_gated}", _IS_GATED)
_ACTIVE = """
SELECT webhook.id, webhook.revision FROM webhooks_webhook webhook
JOIN accounts_account account ON account.id = webhook.account_id
WHERE webhook.id = ANY (%s::uuid[]) AND webhook.is_active AND account.is_active
"""
_NEXT_DUE = """
WITH RECURSIVE {line}
SELECT extract(epoch FROM min(next.due_at) - now())::float
FROM line CROSS JOIN LATERAL (
  SELECT delivery.next_attempt_at AS due_at FROM delivery_delivery delivery
  WHERE delivery.webhook_id = line.webhook_id
    AND delivery.state = 'pending' AND delivery.next_attempt_at > now()
  ORDER BY delivery.next_attempt_at LIMIT 1
) next
""".replace("{line}", _LINE)
FIRST = uuid.UUID(int=0)
# A lease must outlast a request by this much for the request to begin.
LEASE_MARGIN_S = 5.0
_EVENT = 5


class Taken(NamedTuple):
    """What a claim took, before the snapshots are read; `deadline` is when the lease ends."""

    rows: Sequence[tuple[Any, ...]]
    claim: uuid.UUID
    deadline: float


class Claimed(NamedTuple):
    """A delivery that this worker holds under a lease, signed with `claim`.

    `revision` is that of its webhook at the moment of the claim; `deadline` is when the lease ends,
    and `expires_at` when nobody wants it any more, on the monotonic clock: worker and database may
    be on machines that tell different times. `snapshot` is JSON; None for one that is too large to
    be held by the thousand. `event_id` is the event whose snapshot is sent, `changed_paths` the
    places of the template that are, where it is not all of them. `last_error` is what its try
    before ended with, "" for none.
    """

    id: uuid.UUID
    account_id: uuid.UUID
    webhook_id: uuid.UUID
    template_version_id: uuid.UUID
    call_id: uuid.UUID
    event_id: uuid.UUID
    attempt_count: int
    lost_count: int
    revision: int
    expires_at: float | None
    changed_paths: list[str] | None
    last_error: str
    claim: uuid.UUID
    deadline: float
    snapshot: str | None = None


async def claim_due(
    connection: AsyncConnection[Any],
    *,
    worker: uuid.UUID,
    limit: int,
    per_webhook: int,
    rooms: Mapping[uuid.UUID, int],
    after: uuid.UUID,
    lease_s: float,
    loop_time: float,
) -> Taken:
    """Claim up to `limit` due deliveries, of each webhook what `rooms` says, or `per_webhook`.

    First come those that `rooms` does not name, so that whoever has little waits for nobody: in the
    order of their keys, from `after` on. Then those with the most room. Returns the oldest first.
    Where an earlier claim was never recorded, an attempt that says so is stored: the receiver may
    have got it. Where that is so again, it is not claimed but put off.
    """
    claim = uuid.uuid4()
    by_room = sorted(rooms.items(), key=itemgetter(1), reverse=True)
    hungry = {key: room for key, room in by_room if room}
    cursor = await connection.execute(
        _CLAIM,
        {
            "worker": worker,
            "after": after,
            "per_webhook": per_webhook,
            "busy": array(rooms.keys() - hungry.keys()),
            "known": array(rooms),
            "hungry": array(hungry),
            "rooms": list(hungry.values()),
            "limit": limit,
            "gates": MOST_GATES,
            "lost": LOST,
            "claim": claim,
            "lease_s": lease_s,
            "loop_time": loop_time,
        },
    )
    return Taken(sorted(await cursor.fetchall(), key=_age), claim, loop_time + lease_s)


async def with_snapshots(connection: AsyncConnection[Any], taken: Taken) -> list[Claimed]:
    """Complete what was taken with the snapshot of its event.

    Not a part of the claim, which must not be made again where only this fails: what it took would
    be under a lease, and nobody would know of it.
    """
    rows, claim, deadline = taken
    snapshots = await _snapshots(connection, {row[_EVENT] for row in rows})
    return [Claimed._make((*row, claim, deadline, snapshots.get(row[_EVENT]))) for row in rows]


def _age(row: tuple[Any, ...]) -> int:
    """Keys sort by the time they were made, and numbers sort ten times faster than UUIDs."""
    number: int = row[0].int
    return number


async def _snapshots(
    connection: AsyncConnection[Any], events: Collection[uuid.UUID]
) -> dict[uuid.UUID, str | None]:
    """Read the snapshot of each event once, however many deliveries tell of it."""
    if not events:
        return {}
    cursor = await connection.execute(_SNAPSHOTS, [LARGE_BYTES, array(events)])
    return dict(await cursor.fetchall())


async def give_back(
    connection: AsyncConnection[Any],
    held: Sequence[Claimed],
    *,
    in_s: float = 0.0,
    free_probes: bool = False,
) -> None:
    """Make claimed deliveries due again after so many seconds, without a try being spent.

    `free_probes` when they may be probes, as when stopping.
    """
    if held:
        await connection.execute(
            _GIVE_BACK,
            [in_s, array(each.id for each in held), array({each.claim for each in held})],
        )
    if held and free_probes:
        await connection.execute(_FREE_PROBES, [array({each.webhook_id for each in held})])


async def let_go(
    connection: AsyncConnection[Any], worker: uuid.UUID, webhooks: Collection[uuid.UUID]
) -> None:
    """Let other workers send to webhooks that this one has held and is done with."""
    await connection.execute(_LET_GO, [worker, array(webhooks)])


async def active_revisions(
    connection: AsyncConnection[Any], webhooks: Collection[uuid.UUID]
) -> dict[uuid.UUID, int]:
    """Return the revisions of those webhooks that are there and may be sent to."""
    cursor = await connection.execute(_ACTIVE, [array(webhooks)])
    return dict(await cursor.fetchall())


async def seconds_to_next_due(connection: AsyncConnection[Any]) -> float | None:
    """Return how long it is until something falls due that is not due yet; None for nothing."""
    cursor = await connection.execute(_NEXT_DUE, {"after": FIRST})
    row = await cursor.fetchone()
    return row[0] if row else None
