"""Worker processes: told to stop, killed, and left without Redis."""

import signal
from collections import Counter

import pytest
import redis
from django.conf import settings

from apps.common.embedded.redis_server import RedisServer
from apps.delivery.engine.lanes import CONCURRENCY
from apps.delivery.models import Attempt, Delivery
from tests.builders import World, attach, make_webhook
from tests.common.processes import wait_until
from tests.delivery.agreement import assert_log_agrees
from tests.delivery.receiver import Receiver
from tests.delivery.sending import (
    PATIENCE_S,
    command,
    fall_due,
    states,
    take_calls,
    wait_until_sent,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis_server"),
]


class TestAWorker:
    def test_told_to_stop_finishes_what_is_under_way_and_gives_the_rest_back(
        self, world: World, receiver: Receiver
    ) -> None:
        attach(make_webhook(world, receiver.url("/gated"), timeout_s=60))
        take_calls(world, 40)

        with command("worker", settings.REDIS_URL) as process:
            wait_until(lambda: len(receiver.requests) == CONCURRENCY, PATIENCE_S)
            process.send_signal(signal.SIGTERM)
            wait_until(lambda: Delivery.objects.filter(claim=None).count() == 24, PATIENCE_S)
            receiver.gate.set()
            assert process.wait(20) == 0

        assert Counter(states()) == {"succeeded": CONCURRENCY, "pending": 24}
        assert len(receiver.requests) == Attempt.objects.count() == CONCURRENCY

    def test_told_to_stop_breaks_off_what_hangs_and_spends_no_try(
        self, world: World, receiver: Receiver
    ) -> None:
        attach(make_webhook(world, receiver.url("/hang"), timeout_s=60))
        take_calls(world, 20)

        with command("worker", settings.REDIS_URL) as process:
            wait_until(lambda: len(receiver.requests) == CONCURRENCY, PATIENCE_S)
            process.send_signal(signal.SIGTERM)
            # The grace for requests, and some for recording: less than compose.yaml gives.
            assert process.wait(25) == 0

        assert Delivery.objects.filter(state="pending", claim=None, attempt_count=0).count() == 20
        assert Attempt.objects.filter(error_kind="local").count() == CONCURRENCY
        assert len(receiver.requests) == CONCURRENCY
        assert_log_agrees(receiver)

    def test_stops_when_it_has_nothing_to_do(self, world: World) -> None:
        with command("worker", settings.REDIS_URL) as process:
            client = redis.Redis.from_url(settings.REDIS_URL)
            wait_until(lambda: client.pubsub_numsub("hookline:due")[0][1], PATIENCE_S)
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0

    def test_that_is_killed_loses_nothing(self, world: World, receiver: Receiver) -> None:
        attach(make_webhook(world, receiver.url("/gated"), timeout_s=60))
        attach(make_webhook(world, receiver.url("/slow"), timeout_s=60))
        take_calls(world, 100)

        with command("worker", settings.REDIS_URL) as process:
            wait_until(lambda: len(receiver.at("/slow")) > 30, PATIENCE_S)
            process.kill()
            process.wait()
        assert "pending" in states()
        receiver.gate.set()
        # Its leases end. Nothing that was under way has been recorded.
        fall_due(*Delivery.objects.filter(state="pending"))
        with command("worker", settings.REDIS_URL):
            wait_until(lambda: set(states()) == {"succeeded"}, timeout_s=PATIENCE_S)

        assert {each.id for each in receiver.requests} == {
            each.public_id for each in Delivery.objects.all()
        }
        assert_log_agrees(receiver)

    def test_is_helped_by_another_while_there_is_much_to_do(
        self, world: World, receiver: Receiver
    ) -> None:
        # The gate opens when the second worker has started, which may take a busy machine a while.
        attach(make_webhook(world, receiver.url("/gated"), timeout_s=60))
        client = redis.Redis.from_url(settings.REDIS_URL)

        with (
            command("worker", settings.REDIS_URL),
            command("worker", settings.REDIS_URL),
        ):
            wait_until(lambda: client.pubsub_numsub("hookline:due")[0][1], PATIENCE_S)
            take_calls(world, 100)
            # Work goes on until the gate opens, so that the second worker is called for certain.
            wait_until(lambda: client.pubsub_numsub("hookline:due")[0][1] == 2, PATIENCE_S)
            receiver.gate.set()
            wait_until_sent()

        assert len(receiver.requests) == Attempt.objects.count() == 100

    def test_outlives_that_redis_is_wiped(self, world: World, receiver: Receiver) -> None:
        attach(make_webhook(world, receiver.url("/slow")))
        take_calls(world, 60)
        client = redis.Redis.from_url(settings.REDIS_URL)

        with command("worker", settings.REDIS_URL):
            wait_until(lambda: len(receiver.requests) > 10, PATIENCE_S)
            client.flushall()
            take_calls(world, 60, prefix="later")
            client.flushall()
            wait_until_sent()

        assert len(receiver.requests) == Attempt.objects.count() == 120

    def test_goes_on_sending_when_redis_goes_away(
        self, world: World, receiver: Receiver, redis_server: RedisServer
    ) -> None:
        attach(make_webhook(world, receiver.url("/slow")))
        take_calls(world, 60)

        with command("worker", settings.REDIS_URL):
            wait_until(lambda: len(receiver.requests) > 10, PATIENCE_S)
            redis_server.stop()
            take_calls(world, 60, prefix="later")
            wait_until_sent()

        assert len(receiver.requests) == Attempt.objects.count() == 120

    def test_leaves_when_redis_is_away(self, redis_server: RedisServer) -> None:
        redis_server.stop()
        with command("worker", settings.REDIS_URL) as process:
            assert process.wait(PATIENCE_S) == 1
            assert process.stdout is not None
            assert "Redis can not be reached" in process.stdout.read()
