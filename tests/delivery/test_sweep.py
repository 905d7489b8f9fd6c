"""The sweep: what is due is sent, whoever was or was not woken."""

import logging
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

from apps.calls.events import Timing
from apps.common.embedded.redis_server import RedisServer
from apps.delivery.models import Delivery
from apps.delivery.sweep import PATIENCE, Sweep
from apps.delivery.wake import ATTENDED, CHANNEL, delivery_queue
from tests.builders import World, attach, event, make_webhook, switch_off
from tests.common.processes import wait_until
from tests.delivery.receiver import Receiver
from tests.delivery.sending import (
    command,
    running_drain,
    states,
    take,
    take_calls,
    wait_until_sent,
)
from tests.transactions import database_away

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def due(world: World, receiver: Receiver, redis_server: RedisServer) -> None:
    """Three deliveries that are due, and nobody who was told."""
    attach(make_webhook(world, receiver.url()))
    take_calls(world, 3)
    redis.Redis.from_url(settings.REDIS_URL).flushall()


def said(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return what the sweep or its command logged."""
    return [each for each in caplog.records if "sweep" in each.name]


class TestTheSweep:
    @pytest.mark.usefixtures("due")
    def test_first_queues_a_job(self) -> None:
        Sweep().run_once()

        assert delivery_queue().count == 1
        assert states() == ["pending"] * 3

    @pytest.mark.usefixtures("due")
    def test_sends_by_itself_when_no_worker_takes_the_job(self) -> None:
        sweep = Sweep()
        for _ in range(PATIENCE):
            sweep.run_once()

        assert states() == ["succeeded"] * 3

    def test_sends_without_redis(
        self, world: World, receiver: Receiver, redis_server: RedisServer
    ) -> None:
        redis_server.stop()
        attach(make_webhook(world, receiver.url()))
        take_calls(world, 3)

        sweep = Sweep()
        for _ in range(PATIENCE):
            sweep.run_once()

        assert states() == ["succeeded"] * 3

    def test_leaves_the_work_to_a_drain_that_listens(
        self, world: World, receiver: Receiver, redis_server: RedisServer
    ) -> None:
        attach(make_webhook(world, receiver.url("/gated")))
        take_calls(world, 40)
        sweep = Sweep()
        client = redis.Redis.from_url(settings.REDIS_URL)

        with running_drain():
            wait_until(lambda: len(receiver.requests) == 16)
            # It does not wait long for Redis before it begins to send.
            wait_until(lambda: client.exists(ATTENDED) and client.pubsub_numsub(CHANNEL)[0][1])
            # What it has claimed is not due any more; this is.
            Delivery.objects.filter(pk=Delivery.objects.earliest("pk").pk).update(
                next_attempt_at="2020-01-01T00:00:00Z"
            )
            for _ in range(2 * PATIENCE):
                sweep.run_once()
            assert sweep.unattended == 0
            receiver.gate.set()
            wait_until_sent()

    @pytest.mark.usefixtures("redis_server")
    def test_releases_what_waits_for_something_deleted(
        self, world: World, receiver: Receiver
    ) -> None:
        webhook = make_webhook(world, receiver.url())
        attach(webhook)
        attach(webhook, Timing.END)
        take(world, event(world), event(world, type="call.ended"))
        assert states() == ["pending", "waiting"]
        Delivery.objects.get(timing="begin").delete()

        Sweep().run_once()

        assert states() == ["pending"]

    @pytest.mark.usefixtures("redis_server")
    def test_releases_them_however_many_lines_there_are(
        self, world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("apps.delivery.sweep.MOST_LINES", 2)
        webhook = make_webhook(world, receiver.url())
        attach(webhook)
        attach(webhook, Timing.END)
        for number in range(5):
            call_id = f"c{number}"
            ended = event(world, type="call.ended", call_id=call_id)
            take(world, event(world, call_id=call_id), ended)
        Delivery.objects.filter(timing="begin").delete()

        sweep = Sweep()
        for _ in range(3):
            sweep.run_once()

        assert "waiting" not in states()

    @pytest.mark.usefixtures("redis_server")
    def test_leaves_what_waits_for_something_pending(
        self, world: World, receiver: Receiver
    ) -> None:
        webhook = make_webhook(world, receiver.url())
        attach(webhook)
        attach(webhook, Timing.END)
        take(world, event(world), event(world, type="call.ended"))

        Sweep().run_once()

        assert states() == ["pending", "waiting"]

    @pytest.mark.usefixtures("redis_server")
    @pytest.mark.parametrize("statement", ["SELECT nothing", "SELECT pg_sleep(60)"])
    def test_does_the_rest_when_a_part_of_it_fails(
        self, statement: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        done = []

        def fail() -> None:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = 1")
                cursor.execute(statement)

        monkeypatch.setattr("apps.delivery.sweep.work_replays", fail)
        monkeypatch.setattr("apps.delivery.sweep.work_imports", lambda: done.append("imports"))

        Sweep().run_once()

        assert done == ["imports"]
        assert "A part of the sweep failed." in caplog.text

    @pytest.mark.usefixtures("due")
    def test_sends_though_a_part_before_fails(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr("apps.delivery.sweep.EXPIRE", "SELECT nothing")

        call_command("sweep", "--once")

        assert delivery_queue().count == 1
        (fault,) = said(caplog)
        assert (fault.levelno, fault.message) == (logging.ERROR, "A part of the sweep failed.")
        assert 'column "nothing" does not exist' in caplog.text

    @pytest.mark.usefixtures("redis_server")
    def test_queues_nothing_for_a_webhook_that_is_off(
        self, world: World, receiver: Receiver
    ) -> None:
        webhook = make_webhook(world, receiver.url())
        attach(webhook)
        switch_off(webhook, "Broken.")
        take_calls(world, 1)
        delivery_queue().empty()

        sweep = Sweep()
        sweep.run_once()

        assert sweep.unattended == 0
        assert delivery_queue().count == 0


class TestTheCommand:
    @pytest.mark.usefixtures("redis_server")
    def test_waits_for_a_database_that_is_away(self, caplog: pytest.LogCaptureFixture) -> None:
        def stop_when_it_is_said() -> None:
            try:
                wait_until(lambda: said(caplog), timeout_s=30)
            finally:
                os.kill(os.getpid(), signal.SIGTERM)

        with database_away(), ThreadPoolExecutor(1) as other:
            stopped = other.submit(stop_when_it_is_said)
            call_command("sweep")
            stopped.result()

        line = said(caplog)[0]
        assert (line.levelno, line.exc_info) == (logging.WARNING, None)
        assert line.getMessage().startswith("The database is away: ")
        assert "\n" not in line.getMessage()

    @pytest.mark.usefixtures("due")
    def test_sweeps_once(self) -> None:
        call_command("sweep", "--once")

        assert delivery_queue().count == 1

    def test_sweeps_until_it_is_told_to_stop(
        self, world: World, receiver: Receiver, redis_server: RedisServer
    ) -> None:
        redis_server.stop()
        attach(make_webhook(world, receiver.url()))
        with command("sweep", settings.REDIS_URL, SWEEP_INTERVAL_S="1") as process:
            take_calls(world, 3)
            wait_until_sent()
            take_calls(world, 3, prefix="later")
            wait_until_sent()
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
