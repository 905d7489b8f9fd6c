"""Ending deliveries that nobody wants any more, and letting those go that waited for them."""

import time
from typing import Any

from psycopg import AsyncConnection

from apps.delivery.engine.records import RELEASE_AFTER

# What one statement ends, so that nobody waits long for its locks, and for how long at most, in
# seconds, as nothing is claimed meanwhile.
STEP = 1_000
TURN_S = 0.1
# One under a lease is being sent, and is judged by what comes of that. One that waited in vain for
# something of its call is skipped, and gives the turn of its caller back.
EXPIRE = """
WITH ended AS (
  UPDATE delivery_delivery delivery
  SET state = late.state, finished_at = now(), next_attempt_at = NULL, claim = NULL,
    leased_until = NULL,
    last_error = CASE WHEN late.state = 'skipped'
      THEN 'Skipped: the ' || delivery.waits_for || ' did not come in time.'
      ELSE 'Expired: it could not be delivered in time.' END
  FROM (
    SELECT id, CASE WHEN expires_at = wait_until THEN 'skipped' ELSE 'expired' END AS state
    FROM delivery_delivery
    WHERE state IN ('pending', 'waiting') AND expires_at <= now()
      AND (leased_until IS NULL OR leased_until <= now())
    ORDER BY expires_at LIMIT {step} FOR NO KEY UPDATE SKIP LOCKED
  ) late
  WHERE delivery.id = late.id
  RETURNING delivery.id, delivery.call_id, delivery.webhook_id, delivery.state
), freed AS (
  DELETE FROM delivery_callerturn turn USING ended
  WHERE ended.state = 'skipped' AND turn.delivery_key = ended.id
)
SELECT call_id, webhook_id FROM ended
""".replace("{step}", str(STEP))


async def expire(connection: AsyncConnection[Any]) -> bool:
    """End what is too late, as `expired`, for a moment; return whether there is more."""
    until = time.monotonic() + TURN_S
    while time.monotonic() < until:
        async with connection.transaction():
            rows = await (await connection.execute(EXPIRE)).fetchall()
            if rows:
                lines = [[row[0] for row in rows], [row[1] for row in rows]]
                await connection.execute(RELEASE_AFTER, lines)
        if len(rows) < STEP:
            return False
    return True
