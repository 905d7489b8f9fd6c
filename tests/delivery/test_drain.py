"""Drains with much to do: shares, limits, company, stopping, and services that go away."""

import asyncio
import logging
import threading
from collections import Counter
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from apps.common import outages
from apps.delivery.engine import judging
from apps.delivery.engine.drain import Drain
from apps.delivery.engine.lanes import CONCURRENCY
from apps.delivery.jobs import drain_settings, run_drain
from apps.delivery.models import Attempt, Delivery
from apps.delivery.retry import LOST_TOO_OFTEN, MOST_LOST, Verdict
from tests.builders import World, attach, make_webhook
from tests.common.processes import wait_until
from tests.delivery.agreement import assert_log_agrees
from tests.delivery.breaking import assert_one_is_sent_later, break_down_once
from tests.delivery.receiver import Receiver
from tests.delivery.sending import (
    drain,
    fall_due,
    running_drain,
    states,
    take_calls,
    wait_until_sent,
)
from tests.transactions import cut_others, somebody_waits

pytestmark = pytest.mark.django_db(transaction=True)

NO_REDIS = "redis://127.0.0.1:1/0"


def balance(receiver: Receiver) -> None:
    """Every delivery succeeded, and each arrived once; each request is an attempt."""
    assert set(states()) == {"succeeded"}
    assert Counter(each.id for each in receiver.requests) == Counter(
        each.public_id for each in Delivery.objects.all()
    )
    assert Attempt.objects.count() == len(receiver.requests)
    assert_log_agrees(receiver)


class TestTwoDrains:
    def test_never_send_a_delivery_twice(self, world: World, receiver: Receiver) -> None:
        for number in range(5):
            attach(make_webhook(world, receiver.url(f"/ok/{number}")))
        take_calls(world, 100)

        with running_drain(), running_drain(), running_drain():
            wait_until_sent()

        assert len(receiver.requests) == 500
        balance(receiver)


class TestOneWebhook:
    def test_gets_so_many_requests_at_once_and_no_more(
        self, world: World, receiver: Receiver
    ) -> None:
        attach(make_webhook(world, receiver.url("/gated-then-slow"), timeout_s=60))
        take_calls(world, 80)

        with running_drain():
            wait_until(lambda: len(receiver.requests) == CONCURRENCY)
            receiver.gate.set()
            wait_until_sent()

        assert receiver.most_busy["/gated-then-slow"] == CONCURRENCY
        balance(receiver)

    def test_gets_no_more_at_once_after_it_has_waited_for_senders(
        self, world: World, receiver: Receiver
    ) -> None:
        early = [attach(make_webhook(world, receiver.url(f"/slow/{name}"))) for name in "ab"]
        take_calls(world, 60)
        for attachment in early:
            attachment.delete()
        attach(make_webhook(world, receiver.url("/gated/c")))
        take_calls(world, 60, prefix="later")

        with running_drain(concurrency=2 * CONCURRENCY):
            # Every sender is free for it now, and it has more than it may be sent at once.
            wait_until(lambda: states().count("succeeded") == 120)
            receiver.gate.set()
            wait_until_sent()

        assert receiver.most_busy["/gated/c"] == CONCURRENCY
        balance(receiver)

    def test_that_hangs_stops_no_other(self, world: World, receiver: Receiver) -> None:
        attach(make_webhook(world, receiver.url("/gated")))
        attach(make_webhook(world, receiver.url("/ok")))
        take_calls(world, 100)

        with running_drain():
            wait_until(lambda: len(receiver.at("/ok")) == 100)
            assert len(receiver.at("/gated")) == CONCURRENCY
            receiver.gate.set()
            wait_until_sent()

        balance(receiver)

    def test_whose_try_breaks_down_gets_the_others(
        self, world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        break_down_once(monkeypatch, judging, "judge")
        attach(make_webhook(world, receiver.url(), concurrency=1))
        take_calls(world, 4)

        assert_one_is_sent_later(receiver)

    def test_whose_tries_always_break_down_ends(
        self, world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def break_down(*_: Any, **__: Any) -> Verdict:
            raise RuntimeError("a fault of ours")

        monkeypatch.setattr(judging, "judge", break_down)
        attach(make_webhook(world, receiver.url()))
        take_calls(world, 1)

        for _ in range(MOST_LOST):
            assert states() == ["pending"]
            fall_due(*Delivery.objects.all())
            drain()

        assert Delivery.objects.get().last_error == LOST_TOO_OFTEN
        assert states() == ["failed"]
        assert_log_agrees(receiver)


class TestTheShares:
    def test_go_to_every_one_of_hundreds(self, world: World, receiver: Receiver) -> None:
        for number in range(300):
            attach(make_webhook(world, receiver.url(f"/ok/{number}")))
        take_calls(world, 4)

        drain()

        assert len(receiver.requests) == 1200
        balance(receiver)

    def test_go_to_many_small_ones_behind_a_large_one(
        self, world: World, receiver: Receiver
    ) -> None:
        large = attach(make_webhook(world, receiver.url("/ok/large")))
        take_calls(world, 300)
        large.delete()
        for number in range(60):
            attach(make_webhook(world, receiver.url(f"/ok/{number}")))
        take_calls(world, 1, prefix="small")

        # One claim takes less than is due for the large one alone.
        drain(concurrency=16)

        paths = [each.path for each in receiver.requests]
        before_the_last_small = paths[: max(paths.index(f"/ok/{number}") for number in range(60))]
        assert before_the_last_small.count("/ok/large") < 200
        balance(receiver)

    def test_go_to_a_quiet_webhook_beside_loud_ones(self, world: World, receiver: Receiver) -> None:
        loud = [make_webhook(world, receiver.url(f"/slow/{number}")) for number in range(2)]
        quiet = make_webhook(world, receiver.url("/ok/quiet"))
        for webhook in loud:
            attach(webhook)
        take_calls(world, 500)

        # The loud ones could keep every sender busy until they are done.
        with running_drain(concurrency=2 * CONCURRENCY):
            wait_until(lambda: len(receiver.requests) > 100)
            attach(quiet)
            take_calls(world, 1, prefix="quiet")
            wait_until_sent()

        paths = [each.path for each in receiver.requests]
        assert paths.index("/ok/quiet") < 800
        balance(receiver)


class TestStopping:
    def test_gives_back_what_has_not_begun_and_finishes_the_rest(
        self, world: World, receiver: Receiver
    ) -> None:
        attach(make_webhook(world, receiver.url("/gated")))
        take_calls(world, 40)

        with running_drain() as running:
            wait_until(lambda: len(receiver.requests) == CONCURRENCY)
            running.stop()
            wait_until(lambda: not Delivery.objects.filter(claim=None).count() < 24)
            receiver.gate.set()

        assert len(receiver.requests) == CONCURRENCY
        assert states().count("succeeded") == CONCURRENCY
        assert Delivery.objects.filter(state="pending", claim=None).count() == 24
        assert drain().succeeded == 24
        balance(receiver)

    def test_before_it_runs_sends_nothing(self, world: World, receiver: Receiver) -> None:
        attach(make_webhook(world, receiver.url()))
        take_calls(world, 1)

        with running_drain() as running:
            running.stop()

        assert set(states()) <= {"pending", "succeeded"}
        drain()
        balance(receiver)

    def test_when_it_has_ended_already_does_no_harm(self, world: World) -> None:
        finished = Drain(drain_settings(linger_s=0.0))
        asyncio.run(finished.run())

        finished.stop()


class TestWithoutRedis:
    def test_all_is_sent_all_the_same(self, world: World, receiver: Receiver) -> None:
        attach(make_webhook(world, receiver.url()))
        take_calls(world, 20)
        with running_drain(redis_url=NO_REDIS):
            wait_until_sent()
            take_calls(world, 20, prefix="later")
            wait_until_sent()

        balance(receiver)


class TestWithoutTheDatabase:
    def test_for_a_moment_nothing_is_lost_or_sent_twice(
        self, world: World, receiver: Receiver, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.CRITICAL, "apps.delivery")
        for number in range(3):
            attach(make_webhook(world, receiver.url(f"/slow/{number}")))
        take_calls(world, 150)

        with running_drain(lease_s=25.0):
            for sent in (20, 120, 250):
                wait_until(lambda sent=sent: len(receiver.requests) >= sent)  # type: ignore[misc]
                wait_until(cut_others)
            wait_until_sent()

        # A claim whose answer was lost with the connection waits for its lease, and is sent once.
        balance(receiver)

    def test_at_the_commit_of_a_recording_each_try_is_stored_once(
        self, world: World, receiver: Receiver
    ) -> None:
        attach(make_webhook(world, receiver.url("/gated")))
        take_calls(world, 16)
        with running_drain():
            wait_until(lambda: len(receiver.requests) == 16)
            with connection.cursor() as cursor:
                # Recording waits for us, so that it is cut in the middle.
                cursor.execute("BEGIN; LOCK TABLE delivery_delivery IN SHARE MODE")
                receiver.gate.set()
                wait_until(somebody_waits)
                assert cut_others() > 0
                cursor.execute("COMMIT")
            wait_until_sent()

        balance(receiver)

    def test_it_can_be_stopped(
        self, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(outages, "_said_at_s", {})
        away = {**drain_settings().database, "host": "127.0.0.1", "port": 1}
        stranded = Drain(drain_settings(database=away))
        failures: list[BaseException] = []

        def run() -> None:
            try:
                asyncio.run(stranded.run())
            except psycopg.OperationalError as error:
                failures.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        wait_until(lambda: "The database is away" in caplog.text)
        stranded.stop()
        thread.join(20)

        assert not thread.is_alive()
        assert failures


class TestAStoreThatRefusesEverything:
    def test_ends_the_drain_and_gives_back_what_it_holds(
        self, world: World, receiver: Receiver
    ) -> None:
        attach(make_webhook(world, receiver.url("/slow")))
        take_calls(world, 200)
        # As when a migration runs under a worker of the version before.
        rename = "ALTER TABLE delivery_attempt RENAME COLUMN {} TO {}"
        with connection.cursor() as cursor:
            cursor.execute(rename.format("worker", "renamed"))
            try:
                with pytest.raises(psycopg.ProgrammingError):
                    run_drain(concurrency=16)
            finally:
                cursor.execute(rename.format("renamed", "worker"))

        assert len(receiver.requests) < 100
        assert Delivery.objects.filter(state="pending", claim=None).count() > 100
        Delivery.objects.update(next_attempt_at=timezone.now())
        drain()
        assert set(states()) == {"succeeded"}
