"""Waking over a real Redis: who hears it, and what happens when Redis does not."""

import threading

import pytest
import redis
from django.conf import settings

from apps.common.embedded.redis_server import RedisServer
from apps.delivery.wake import CHANNEL, wake


@pytest.fixture
def client(redis_server: RedisServer) -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL)


def queued(client: redis.Redis) -> int:
    return client.llen("rq:queue:delivery")


class TestWake:
    def test_queues_one_job_when_nobody_listens(self, client: redis.Redis) -> None:
        wake()
        wake()

        assert queued(client) == 1

    def test_rings_whoever_listens_and_queues_nothing(self, client: redis.Redis) -> None:
        with client.pubsub(ignore_subscribe_messages=True) as channel:
            channel.subscribe(CHANNEL)
            channel.get_message(timeout=5)

            wake()

            assert channel.get_message(timeout=5) is not None
        assert queued(client) == 0

    def test_works_again_after_redis_has_started_anew(
        self, client: redis.Redis, redis_server: RedisServer
    ) -> None:
        wake()
        redis_server.stop()
        redis_server.start()

        wake()

        assert queued(client) == 1

    def test_does_no_harm_without_redis(self, redis_server: RedisServer) -> None:
        redis_server.stop()

        wake()
        wake()

    @pytest.mark.usefixtures("silent_redis")
    def test_does_not_wait_for_a_redis_that_hangs(self) -> None:
        waking = threading.Thread(target=wake, daemon=True)
        waking.start()
        waking.join(10)

        assert not waking.is_alive()
