"""Recording what became of tries: in bulk, and only by whoever still holds the claim."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg import AsyncConnection

from apps.common.ids import new_id
from apps.delivery.alerting import Rung
from apps.delivery.engine.claims import Claimed
from apps.delivery.engine.database import array
from apps.delivery.outcome import ErrorKind, Outcome
from apps.delivery.retry import State, Verdict

# What is kept of why a try failed.
MAX_ERROR_CHARS = 500
# In the order in which intake locks them: otherwise each may hold what the other waits for.
_LOCK = "SELECT FROM delivery_delivery WHERE id = ANY (%s::uuid[]) ORDER BY id FOR NO KEY UPDATE"
_UPDATE = """
UPDATE delivery_delivery delivery
SET state = result.state,
    next_attempt_at = now() + make_interval(secs => result.retry_in_s),
    finished_at = CASE WHEN result.state = 'pending' THEN NULL ELSE now() END,
    attempt_count = delivery.attempt_count + result.spent,
    lost_count = delivery.lost_count + result.lost,
    last_status = result.status,
    last_error = coalesce(result.error, ''),
    claim = NULL, leased_until = NULL
FROM unnest(%(ids)s::uuid[], %(claims)s::uuid[], %(states)s::text[], %(waits_s)s::float[],
  %(spent)s::int[], %(lost)s::int[], %(statuses)s::int[], %(errors)s::text[])
  AS result(id, claim, state, retry_in_s, spent, lost, status, error)
WHERE delivery.id = result.id AND delivery.claim = result.claim
"""
_COPY_ATTEMPTS = """
COPY delivery_attempt (id, created_at, account_id, delivery_id, number, started_at, method, url,
  request_headers, request_body, response_status, response_headers, response_body,
  is_response_truncated, error_kind, error_message, dns_ms, connect_ms, first_byte_ms, total_ms,
  worker, sends) FROM STDIN (FORMAT BINARY)
"""
_TYPES_OF_ATTEMPTS = (
    *("uuid", "timestamptz", "uuid", "uuid", "int2", "timestamptz", "text", "text"),
    *("jsonb", "text", "int2", "jsonb", "text"),
    *("bool", "text", "text", "float8", "float8", "float8", "float8"),
    *("text", "int2"),
)
# The oldest that waits for a finished one is next, unless something before it is still pending.
RELEASE_AFTER = """
UPDATE delivery_delivery SET state = 'pending', next_attempt_at = greatest(now(), wait_until)
WHERE state = 'waiting' AND id IN (
  SELECT DISTINCT ON (waiting.call_id, waiting.webhook_id) waiting.id
  FROM delivery_delivery waiting
  WHERE waiting.state = 'waiting'
    AND (waiting.call_id, waiting.webhook_id) IN (SELECT * FROM unnest(%s::uuid[], %s::uuid[]))
    AND NOT EXISTS (
      SELECT FROM delivery_delivery earlier
      WHERE earlier.call_id = waiting.call_id AND earlier.webhook_id = waiting.webhook_id
        AND earlier.state = 'pending')
  ORDER BY waiting.call_id, waiting.webhook_id, waiting.id)
"""
_DISABLE = """
UPDATE webhooks_webhook SET is_active = false, disabled_reason = %s
WHERE id = ANY (%s) AND is_active
"""
_GONE = "The receiver answered 410 Gone."
# One a day for each webhook: what ends workers seldom ends only one delivery.
_TELL_OF_LOST = """
INSERT INTO delivery_alert (id, created_at, account_id, webhook_id, rung, failing_since)
SELECT hookline_new_id(), now(), account_id, webhook_id, %s, min(created_at)
FROM delivery_delivery delivery
WHERE id = ANY (%s) AND state = 'failed' AND NOT EXISTS (
  SELECT FROM delivery_alert alert
  WHERE alert.webhook_id = delivery.webhook_id AND alert.rung = %s
    AND alert.created_at > now() - interval '1 day')
GROUP BY account_id, webhook_id
ON CONFLICT DO NOTHING
"""


@dataclass(slots=True)
class Tried:
    """One try with its verdict. `headers` and `body` are the request's, credentials masked.

    One that `is_repeated` tells nothing that the log does not tell already, and is not kept.
    One is made for each request, and a frozen one takes twice as long.
    """

    held: Claimed
    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    started_at: dt.datetime
    outcome: Outcome
    verdict: Verdict
    is_repeated: bool = False
    id: uuid.UUID = field(default_factory=new_id)


async def record(connection: AsyncConnection[Any], tried: Sequence[Tried], *, worker: str) -> None:
    """Store tries, move their deliveries on, and release those that waited for them.

    Runs in the caller's transaction. A delivery whose lease ran out and was claimed by another is
    left alone, but the try is kept: it was made.
    """
    await _copy_attempts(connection, tried, worker)
    await connection.execute(_LOCK, [array(each.held.id for each in tried)])
    await connection.execute(_UPDATE, _columns(tried))
    await _release(connection, tried)
    gone = [each.held.webhook_id for each in tried if each.verdict.disable_webhook]
    if gone:
        await connection.execute(_DISABLE, [_GONE, gone])
    lost = [each.held.id for each in tried if each.verdict.gives_up_lost]
    if lost:
        await connection.execute(_TELL_OF_LOST, [Rung.LOST, lost, Rung.LOST])


async def forget(connection: AsyncConnection[Any], tried: Sequence[Tried]) -> None:
    """Take out what an earlier recording of the same tries may have stored.

    For when the connection broke at the commit, so that nobody knows how it ended.
    """
    await connection.execute(
        "DELETE FROM delivery_attempt WHERE id = ANY (%s)", [[each.id for each in tried]]
    )


async def _copy_attempts(
    connection: AsyncConnection[Any], tried: Sequence[Tried], worker: str
) -> None:
    now = dt.datetime.now(dt.UTC)
    async with connection.cursor() as cursor, cursor.copy(_COPY_ATTEMPTS) as copy:
        copy.set_types(_TYPES_OF_ATTEMPTS)
        for each in tried:
            if each.is_repeated:
                continue
            await copy.write_row(_attempt_row(each, worker, now))


def _attempt_row(each: Tried, worker: str, now: dt.datetime) -> tuple[Any, ...]:
    outcome, timings = each.outcome, each.outcome.timings
    return (
        each.id,
        now,
        each.held.account_id,
        each.held.id,
        each.held.attempt_count + 1,
        each.started_at,
        each.method,
        each.url,
        each.headers,
        _text(each.body),
        outcome.status,
        outcome.headers,
        _text(outcome.body),
        outcome.body_truncated,
        each.verdict.error_kind or "",
        each.verdict.reason[:MAX_ERROR_CHARS] if each.verdict.error_kind else "",
        timings.dns_ms,
        timings.connect_ms,
        timings.first_byte_ms,
        timings.total_ms,
        worker,
        outcome.sends,
    )


def _columns(tried: Sequence[Tried]) -> dict[str, Any]:
    """Return the parameters of `_UPDATE`: one array a column."""
    errors = [
        each.verdict.reason[:MAX_ERROR_CHARS] if each.verdict.error_kind else "" for each in tried
    ]
    return {
        "ids": array(each.held.id for each in tried),
        "claims": array(each.held.claim for each in tried),
        "states": array(_state(each.verdict) for each in tried),
        "waits_s": array(each.verdict.retry_in_s for each in tried),
        "spent": array(int(each.verdict.spends_try) for each in tried),
        "lost": array(
            int(each.verdict.spends_try and each.verdict.error_kind is ErrorKind.LOST)
            for each in tried
        ),
        "statuses": array(each.outcome.status for each in tried),
        # Nearly always none failed: then none is written, and each reads as NULL.
        "errors": errors if any(errors) else [],
    }


async def _release(connection: AsyncConnection[Any], tried: Sequence[Tried]) -> None:
    finished = [each.held for each in tried if each.verdict.state is not State.RETRY]
    if not finished:
        return
    lines = [
        array(held.call_id for held in finished),
        array(held.webhook_id for held in finished),
    ]
    await connection.execute(RELEASE_AFTER, lines)


def _state(verdict: Verdict) -> str:
    return "pending" if verdict.state is State.RETRY else str(verdict.state)


def _text(body: bytes) -> str:
    """Return a body as PostgreSQL can hold it: text without NUL."""
    return body.decode("utf-8", "replace").replace("\0", "\ufffd")
