"""A past: deliveries that ended long ago, each with its tries, and how the claim copes with them.

Imports models, so it is imported inside `bench.installation.installed()` only.
"""

import asyncio
import json
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.db import connection
from psycopg import AsyncConnection

from apps.calls.models import Call, CallEvent
from apps.delivery.engine.claims import FIRST, claim_due
from apps.delivery.models import Attempt, Delivery
from bench.sending import of_worlds
from bench.world import make_world, plant, unchecked

# A month ago, so that nothing of it is forgotten while it is in use.
_END = """
UPDATE delivery_delivery SET state = 'succeeded', next_attempt_at = NULL, attempt_count = %s,
  last_status = 200, finished_at = now() - interval '29 days',
  created_at = now() - interval '30 days'
WHERE account_id = %s
"""
_TRIES = """
INSERT INTO delivery_attempt (id, created_at, account_id, delivery_id, number, started_at, method,
  url, request_headers, request_body, response_status, response_headers, response_body,
  is_response_truncated, error_kind, error_message, total_ms, worker, sends)
SELECT uuidv7(), delivery.created_at, delivery.account_id, delivery.id, number,
  delivery.created_at, 'POST', 'https://crm.example.com/hooks/leads',
  '{"Content-Type": "application/json", "X-Api-Key": "********"}', repeat('x', 200), 200, '[]',
  'ok', false, '', '', 12.5, 'host:1', 1
FROM delivery_delivery delivery, generate_series(1, %s) AS number
WHERE delivery.account_id = %s
"""


def write_history(urls: Sequence[str], *, deliveries: int, tries: int) -> int:
    """Store so many deliveries that have ended, with so many tries each; return how many tries."""
    world = make_world(urls, fan_out=len(urls))
    with unchecked(), connection.cursor() as cursor:
        planned = plant(
            world, deliveries, seeded=lambda: cursor.execute(_END, [tries, world.account.pk])
        )
        cursor.execute(_TRIES, [tries, world.account.pk])
    with connection.cursor() as cursor:
        # What autovacuum does in the course of a month.
        for model in (Delivery, Attempt):
            cursor.execute(f"VACUUM ANALYZE {model._meta.db_table}")
    assert not of_worlds([world]).exclude(state="succeeded").exists()  # noqa: S101
    return planned * tries


def forget_everything() -> None:
    """Empty the tables of all calls and of what was sent of them."""
    tables = ", ".join(model._meta.db_table for model in (Call, CallEvent, Delivery, Attempt))
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} CASCADE")
        # What autovacuum does within a minute.
        cursor.execute(f"VACUUM ANALYZE {tables}")


@dataclass(frozen=True, slots=True)
class Plan:
    """How PostgreSQL would run a statement, as EXPLAIN says it in JSON."""

    root: Mapping[str, Any]

    def read_whole(self, tables: Collection[str]) -> list[str]:
        """Return those of the tables that are read from end to end, without an index."""
        return sorted(
            {
                node["Relation Name"]
                for node in _nodes(self.root)
                if node["Node Type"] == "Seq Scan" and node["Relation Name"] in tables
            }
        )


class _Asked:
    """Stands in for a connection: it remembers what it was asked first, and finds nothing."""

    statement: str = ""
    parameters: Any = None

    async def execute(self, statement: str, parameters: Any) -> "_Asked":
        """Remember."""
        if not self.statement:
            self.statement, self.parameters = statement, parameters
        return self

    async def fetchall(self) -> list[Any]:
        """Return no row."""
        return []


def claim_plan() -> Plan:
    """Return how the database would claim what is due now."""
    asked = _Asked()
    claim = claim_due(
        cast(AsyncConnection[Any], asked),
        worker=uuid.uuid4(),
        limit=1000,
        per_webhook=48,
        rooms={},
        after=FIRST,
        lease_s=90.0,
        loop_time=0.0,
    )
    asyncio.run(claim)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {asked.statement}", asked.parameters)
        (answer,) = cursor.fetchone()
    (plan,) = json.loads(answer) if isinstance(answer, str) else answer
    return Plan(plan["Plan"])


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)
