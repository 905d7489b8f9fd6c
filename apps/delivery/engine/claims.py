"""Claiming what is due: fairly over all webhooks, each delivery by one claimer at a time."""

import operator
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection

from apps.webhooks.tokens import Snapshot

# A loose index scan finds the webhooks that have work, then each gives up to `per_webhook` rows:
# the cost depends on the number of such webhooks, not on how much is due for one of them.
_CLAIM = """
WITH RECURSIVE line AS (
  (SELECT webhook_id FROM delivery_delivery
   WHERE state = 'pending' AND webhook_id > %(after)s
   ORDER BY webhook_id LIMIT 1)
  UNION ALL
  SELECT (SELECT delivery.webhook_id FROM delivery_delivery delivery
          WHERE delivery.state = 'pending' AND delivery.webhook_id > line.webhook_id
          ORDER BY delivery.webhook_id LIMIT 1)
  FROM line WHERE line.webhook_id IS NOT NULL
), due AS (
  SELECT picked.id, webhook.revision
  FROM line
  JOIN webhooks_webhook webhook ON webhook.id = line.webhook_id AND webhook.is_active
  JOIN accounts_account account ON account.id = webhook.account_id AND account.is_active
  CROSS JOIN LATERAL (
    SELECT delivery.id FROM delivery_delivery delivery
    WHERE delivery.webhook_id = line.webhook_id
      AND delivery.state = 'pending' AND delivery.next_attempt_at <= now()
    ORDER BY delivery.next_attempt_at
    LIMIT %(per_webhook)s FOR UPDATE SKIP LOCKED
  ) picked
  WHERE line.webhook_id <> ALL (%(busy)s::uuid[])
  LIMIT %(limit)s
)
UPDATE delivery_delivery delivery
SET claim = %(claim)s, next_attempt_at = now() + make_interval(secs => %(lease_s)s)
FROM due, calls_callevent event
WHERE delivery.id = due.id AND event.id = delivery.event_id
RETURNING delivery.id, delivery.account_id, delivery.webhook_id, delivery.template_version_id,
  delivery.call_id, delivery.attempt_count, due.revision, event.snapshot
"""
_GIVE_BACK = """
UPDATE delivery_delivery SET claim = NULL, next_attempt_at = now()
WHERE id = ANY (%s) AND claim = ANY (%s) AND state = 'pending'
"""
_NEXT_DUE = """
SELECT extract(epoch FROM min(next_attempt_at) - now())::float FROM delivery_delivery
WHERE state = 'pending' AND next_attempt_at > now()
"""
FIRST = uuid.UUID(int=0)
# A lease must outlast a request by this much for the request to begin.
LEASE_MARGIN_S = 5.0
# Keys sort by the time they were made.
_KEY = operator.itemgetter(0)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this worker holds under a lease, signed with `claim`.

    `revision` is that of its webhook at the moment of the claim; `deadline` is the moment of the
    event loop's clock at which the lease ends.
    """

    claim: uuid.UUID
    deadline: float
    id: uuid.UUID
    account_id: uuid.UUID
    webhook_id: uuid.UUID
    template_version_id: uuid.UUID
    call_id: uuid.UUID
    attempt_count: int
    revision: int
    snapshot: Snapshot


async def claim_due(
    connection: AsyncConnection[Any],
    *,
    limit: int,
    per_webhook: int,
    busy: Iterable[uuid.UUID],
    after: uuid.UUID,
    lease_s: float,
    loop_time: float,
) -> list[Claimed]:
    """Claim up to `limit` due deliveries, up to `per_webhook` of each webhook that is not busy.

    Walks the webhooks in the order of their keys, from `after` on. Returns the oldest first.
    """
    claim = uuid.uuid4()
    cursor = await connection.execute(
        _CLAIM,
        {
            "after": after,
            "per_webhook": per_webhook,
            "busy": list(busy),
            "limit": limit,
            "claim": claim,
            "lease_s": lease_s,
        },
    )
    deadline = loop_time + lease_s
    rows = sorted(await cursor.fetchall(), key=_KEY)
    return [Claimed(claim, deadline, *row) for row in rows]


async def give_back(connection: AsyncConnection[Any], held: Sequence[Claimed]) -> None:
    """Make claimed deliveries due again, without a try being spent."""
    if held:
        await connection.execute(
            _GIVE_BACK, [[each.id for each in held], list({each.claim for each in held})]
        )


async def seconds_to_next_due(connection: AsyncConnection[Any]) -> float | None:
    """Return how long it is until something falls due that is not due yet; None for nothing."""
    cursor = await connection.execute(_NEXT_DUE)
    row = await cursor.fetchone()
    return row[0] if row else None
