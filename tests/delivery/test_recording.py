"""Recording beside others that lock the same deliveries."""

import asyncio
import datetime as dt
import logging
import threading
import time
import uuid
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection

from apps.delivery.engine.claims import FIRST, Claimed, claim_due, with_snapshots
from apps.delivery.engine.database import Database
from apps.delivery.engine.records import Tried, record
from apps.delivery.jobs import drain_settings
from apps.delivery.models import Attempt, Delivery
from apps.delivery.outcome import Outcome, Timings
from apps.delivery.retry import RetryPolicy, judge
from tests.builders import World, attach, make_webhook
from tests.common.processes import wait_until
from tests.delivery.sending import PATIENCE_S, states, take_calls
from tests.transactions import somebody_waits

pytestmark = pytest.mark.django_db(transaction=True)

_ANSWERED = Outcome(
    status=200,
    headers=(),
    body=b"",
    body_truncated=False,
    error_kind=None,
    error_message="",
    timings=Timings(total_ms=1.0),
    sends=1,
)


async def _claimed(database: Database) -> list[Claimed]:
    async def claim(link: AsyncConnection[Any]) -> list[Claimed]:
        taken = await claim_due(
            link,
            worker=uuid.uuid4(),
            limit=10,
            per_webhook=10,
            rooms={},
            after=FIRST,
            lease_s=90.0,
            loop_time=time.monotonic(),
        )
        return await with_snapshots(link, taken)

    return await database.run(claim)


def _tried(held: Claimed) -> Tried:
    now = dt.datetime.now(dt.UTC)
    verdict = judge(_ANSWERED, 1, RetryPolicy(), now=now, random=lambda: 0.5)
    return Tried(held, "POST", "https://crm.example.com", {}, b"", now, _ANSWERED, verdict)


class TestRecording:
    def test_waits_for_intake_without_holding_what_intake_wants_next(self, world: World) -> None:
        attach(make_webhook(world, "https://crm.example.com"))
        take_calls(world, 2)
        first, second = Delivery.objects.order_by("pk").values_list("pk", flat=True)
        is_claimed, is_locked = threading.Event(), threading.Event()

        async def work() -> None:
            async with Database(drain_settings().database) as database:
                held = await _claimed(database)
                is_claimed.set()
                await asyncio.to_thread(is_locked.wait, PATIENCE_S)
                # The answers came in this order.
                tried = [_tried(each) for each in sorted(held, key=lambda each: each.id)[::-1]]

                async def write(link: AsyncConnection[Any]) -> None:
                    async with link.transaction():
                        await record(link, tried, worker="host:1")

                await database.run(write)

        recorder = threading.Thread(target=lambda: asyncio.run(work()))
        recorder.start()
        try:
            assert is_claimed.wait(PATIENCE_S)
            # Written last, so it lies behind the other in the table, too.
            Delivery.objects.filter(pk=first).update(last_error="")
            with psycopg.connect(**drain_settings().database) as intake:
                _lock(intake, first)
                is_locked.set()
                wait_until(somebody_waits)
                _lock(intake, second)
        finally:
            is_locked.set()
            recorder.join(PATIENCE_S)
        assert states() == ["succeeded", "succeeded"]
        assert Attempt.objects.count() == 2


class TestADeadlock:
    def test_is_no_database_that_is_away(self, caplog: pytest.LogCaptureFixture) -> None:
        links = []

        async def work(link: AsyncConnection[Any]) -> int:
            links.append(link)
            if len(links) == 1:
                raise psycopg.errors.DeadlockDetected("deadlock detected")
            cursor = await link.execute("SELECT 1")
            (one,) = await cursor.fetchone() or (0,)
            return int(one)

        async def run() -> int:
            async with Database(drain_settings().database) as database:
                return await database.run(work)

        with caplog.at_level(logging.WARNING):
            assert asyncio.run(run()) == 1
        assert links[0] is links[1]
        assert "in the way" in caplog.text
        assert "away" not in caplog.text


class TestADatabaseThatTakesNoWrites:
    def test_is_waited_for(self) -> None:
        links = []

        async def work(link: AsyncConnection[Any]) -> str:
            links.append(link)
            async with link.transaction():
                if len(links) == 1:
                    await link.execute("SET TRANSACTION READ ONLY")
                await link.execute("DELETE FROM delivery_delivery")
            return "written"

        async def run() -> str:
            async with Database(drain_settings().database) as database:
                return await database.run(work)

        assert asyncio.run(run()) == "written"
        assert links[0].closed
        assert links[0] is not links[1]


def _lock(link: "psycopg.Connection[Any]", key: uuid.UUID) -> None:
    link.execute("SELECT FROM delivery_delivery WHERE id = %s FOR NO KEY UPDATE NOWAIT", [key])
