"""How far sending is behind."""

from django.db import connection

# One look at the index for each active webhook: a backlog, however long, does not make it slower.
# What waits for an endpoint that is left alone, or is off, is late by design; what waits for a
# limit is late from the moment at which its bucket had a request to give.
_OLDEST_DUE = """
SELECT extract(epoch FROM now() - min(due.sendable_at))::float
FROM webhooks_webhook webhook
JOIN accounts_account account ON account.id = webhook.account_id AND account.is_active
JOIN delivery_endpointhealth health ON health.webhook_id = webhook.id
  AND (health.probe_at IS NULL OR health.probe_at <= now())
CROSS JOIN LATERAL (
  SELECT greatest(delivery.next_attempt_at, health.tokens_at + make_interval(
    secs => greatest(0, 1 - health.tokens) / health.rate_per_s)) AS sendable_at
  FROM delivery_delivery delivery
  WHERE delivery.webhook_id = webhook.id AND delivery.state = 'pending'
    AND delivery.next_attempt_at <= now()
    AND (delivery.leased_until IS NULL OR delivery.leased_until <= now())
    AND (delivery.expires_at IS NULL OR delivery.expires_at > now())
  ORDER BY delivery.next_attempt_at LIMIT 1
) due
WHERE webhook.is_active AND due.sendable_at <= now()
"""


def seconds_behind() -> float | None:
    """Return how long the oldest delivery that could be sent has been due; None if none is."""
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST_DUE)
        (waited,) = cursor.fetchone()
    return None if waited is None else float(waited)
