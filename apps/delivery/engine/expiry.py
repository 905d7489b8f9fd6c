"""Ending deliveries that nobody wants any more, and letting those go that waited for them."""

from typing import Any

from psycopg import AsyncConnection

from apps.delivery.engine.records import RELEASE_AFTER

# What one statement ends, so that nobody waits long for its locks.
STEP = 1_000
# One under a lease is being sent, and is judged by what comes of that.
EXPIRE = """
UPDATE delivery_delivery delivery
SET state = 'expired', finished_at = now(), next_attempt_at = NULL, claim = NULL,
  last_error = 'Expired: it could not be delivered in time.'
FROM (
  SELECT id FROM delivery_delivery
  WHERE state IN ('pending', 'waiting') AND expires_at <= now()
    AND (claim IS NULL OR next_attempt_at <= now())
  ORDER BY expires_at LIMIT 1000 FOR NO KEY UPDATE SKIP LOCKED
) late
WHERE delivery.id = late.id
RETURNING delivery.call_id, delivery.webhook_id
"""


async def expire(connection: AsyncConnection[Any]) -> int:
    """End what is too late, as `expired`; return how much that was."""
    ended = 0
    while True:
        async with connection.transaction():
            rows = await (await connection.execute(EXPIRE)).fetchall()
            if rows:
                lines = [[row[0] for row in rows], [row[1] for row in rows]]
                await connection.execute(RELEASE_AFTER, lines)
        ended += len(rows)
        if len(rows) < STEP:
            return ended
