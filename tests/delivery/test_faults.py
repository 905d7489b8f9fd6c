"""Faults of every kind, in a short form; after each, log and receiver agree on every request.

The long form is `python -m bench chaos`, which restarts PostgreSQL and Redis too.
"""

import datetime as dt
import random
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import OperationalError, connection, connections
from django.utils import timezone

from apps.calls.models import CallEvent
from apps.common.egress import EgressPolicy
from apps.common.embedded.redis_server import RedisServer
from apps.common.ids import new_id
from apps.delivery.clients.batch_client import guarded_session
from apps.delivery.engine import drain as drain_module
from apps.delivery.models import Attempt, Delivery
from apps.delivery.sweep import PATIENCE, Sweep
from apps.delivery.wake import ATTENDED, CHANNEL, delivery_queue
from tests.builders import World, attach, make_webhook
from tests.common.processes import stop, wait_until
from tests.delivery.agreement import assert_log_agrees
from tests.delivery.connect_proxy import running_proxy
from tests.delivery.receiver import Receiver
from tests.delivery.sending import (
    PATIENCE_S,
    command,
    drain,
    fall_due,
    kept_running,
    running_drain,
    states,
    take_calls,
    wait_until_sent,
)

pytestmark = pytest.mark.django_db(transaction=True)

SEED = 20261121


def arrived_once_more(receiver: Receiver) -> int:
    return len(receiver.requests) - len({each.id for each in receiver.requests})


class TestAWorkerKilledAtRandomMoments:
    @pytest.mark.usefixtures("redis_server")
    def test_loses_nothing_and_repeats_only_what_was_in_flight(
        self, world: World, receiver: Receiver
    ) -> None:
        chance = random.Random(SEED)  # noqa: S311 - moments, not secrets
        for number in range(4):
            attach(make_webhook(world, receiver.url(f"/slow/{number}"), timeout_s=1))
        take_calls(world, 60)
        lease = {"DELIVERY_LEASE_S": "7"}
        in_flight: set[tuple[Any, Any]] = set()

        for kill in range(4):
            with command("worker", settings.REDIS_URL, **lease) as process:
                before = len(receiver.requests)
                more = chance.randrange(1, 40)
                enough = partial(self.has_more, receiver, before + more)
                wait_until(enough, PATIENCE_S)
                if kill == 1:
                    redis.Redis.from_url(settings.REDIS_URL).flushall()
                process.kill()
                process.wait()
            came = {each.id for each in receiver.requests}
            held = Delivery.objects.filter(state="pending", claim__isnull=False)
            in_flight |= {(each.pk, each.claim) for each in held if each.public_id in came}
        with command("worker", settings.REDIS_URL, **lease):
            wait_until(lambda: set(states()) == {"succeeded"}, PATIENCE_S)

        assert {each.id for each in receiver.requests} == {
            each.public_id for each in Delivery.objects.all()
        }
        # On a busy machine the receiver may be late, and a try is made again.
        failed = Attempt.objects.exclude(error_kind__in=["", "lost"]).count()
        assert arrived_once_more(receiver) <= len(in_flight) + failed
        assert_log_agrees(receiver)

    @staticmethod
    def has_more(receiver: Receiver, count: int) -> bool:
        """Whether so many have come, or all that is left is held by those killed before."""
        due = Delivery.objects.filter(state="pending", next_attempt_at__lte=timezone.now())
        free = due.exclude(leased_until__gt=timezone.now())
        return len(receiver.requests) >= count or not free.exists()


class TestAWorkerThatIsStopped:
    """Neither dead nor alive: its process id and its connections are still there."""

    def test_is_replaced_by_the_sweep(
        self, world: World, receiver: Receiver, redis_server: RedisServer
    ) -> None:
        attach(make_webhook(world, receiver.url()))
        client = redis.Redis.from_url(settings.REDIS_URL)
        with command("worker", settings.REDIS_URL) as process:
            wait_until(lambda: client.exists(ATTENDED), PATIENCE_S)
            assert 0 < client.ttl(ATTENDED) <= 15
            stop(process)
            # Its time passes.
            client.delete(ATTENDED)
            take_calls(world, 3)
            assert client.pubsub_numsub(CHANNEL)[0][1] == 1

            sweep = Sweep()
            for _ in range(PATIENCE):
                sweep.run_once()
            assert states() == ["succeeded"] * 3
            process.kill()

        assert_log_agrees(receiver)

    def test_touches_nothing_of_others_when_it_goes_on(
        self, world: World, receiver: Receiver, redis_server: RedisServer
    ) -> None:
        attach(make_webhook(world, receiver.url("/gated")))
        take_calls(world, 40)
        with command("worker", settings.REDIS_URL) as process:
            wait_until(lambda: len(receiver.requests) == 16, PATIENCE_S)
            wait_until(lambda: not Delivery.objects.filter(claim=None).exists())
            stop(process)
            # Its leases end, and another takes all of it.
            fall_due(*Delivery.objects.all())
            receiver.gate.set()
            assert drain().succeeded == 40
            process.send_signal(signal.SIGCONT)
            wait_until(lambda: Attempt.objects.count() >= 40 + 40 + 16, PATIENCE_S)

        assert set(states()) == {"succeeded"}
        assert set(Delivery.objects.values_list("attempt_count", flat=True)) == {2}
        assert_log_agrees(receiver)


class TestRedis:
    def test_that_stops_and_starts_again_delays_only(
        self, world: World, receiver: Receiver, redis_server: RedisServer
    ) -> None:
        for number in range(3):
            attach(make_webhook(world, receiver.url(f"/slow/{number}")))
        with (
            kept_running("worker", settings.REDIS_URL),
            kept_running("sweep", settings.REDIS_URL, SWEEP_INTERVAL_S="1"),
        ):
            take_calls(world, 30)
            wait_until(lambda: len(receiver.requests) > 10, PATIENCE_S)
            redis_server.stop()
            take_calls(world, 30, prefix="without")
            redis_server.start()
            take_calls(world, 30, prefix="again")
            wait_until_sent()
            # Once more, with nothing to do.
            redis_server.restart()
            take_calls(world, 30, prefix="later")
            wait_until_sent()

        assert set(states()) == {"succeeded"}
        assert len(receiver.requests) == 3 * 120
        assert_log_agrees(receiver)

    def test_that_was_restarted_is_listened_to_again(
        self, world: World, receiver: Receiver, redis_server: RedisServer
    ) -> None:
        """So that nobody waits for a sweep."""
        attach(make_webhook(world, receiver.url()))
        with kept_running("worker", settings.REDIS_URL):
            for prefix in ("a", "b"):
                take_calls(world, 3, prefix=prefix)
                wait_until_sent()
                redis_server.restart()
                client = redis.Redis.from_url(settings.REDIS_URL)
                wait_until(lambda: client.pubsub_numsub(CHANNEL)[0][1] == 1, PATIENCE_S)  # noqa: B023
            take_calls(world, 3, prefix="c")
            wait_until_sent()

        assert len(receiver.requests) == 9
        assert_log_agrees(receiver)


class TestAReceiver:
    @pytest.mark.parametrize(
        ("path", "outcome"),
        [
            ("/hang", "timeout"),
            ("/drip-head", "timeout"),
            ("/drip-body", "timeout"),
            ("/reset", "closed"),
            ("/silent-close", "closed"),
            ("/partial-body", "closed"),
            ("/gigabyte", ""),
            ("/endless-chunks", ""),
            ("/gzip-bomb", ""),
            ("/closes-politely", ""),
            ("/connection-close", ""),
        ],
    )
    def test_that_misbehaves_is_told_of_as_it_was(
        self, world: World, receiver: Receiver, path: str, outcome: str
    ) -> None:
        timeout_s = 1 if outcome == "timeout" else 60
        attach(make_webhook(world, receiver.url(path), timeout_s=timeout_s))
        attach(make_webhook(world, receiver.url("/ok/beside"), timeout_s=60))
        take_calls(world, 6)

        drain()

        badly = Attempt.objects.filter(url=receiver.url(path))
        assert {attempt.error_kind for attempt in badly} == {outcome}
        assert all(len(attempt.response_body) <= 65_536 for attempt in badly)
        assert Attempt.objects.filter(url=receiver.url("/ok/beside"), error_kind="").count() == 6
        assert_log_agrees(receiver)

    def test_whose_kept_connection_dies_gets_the_request_over_a_new_one(
        self, world: World, receiver: Receiver
    ) -> None:
        attach(make_webhook(world, receiver.url("/ok-once"), concurrency=1))
        take_calls(world, 6)

        drain()

        attempts = Attempt.objects.order_by("started_at").values_list("error_kind", "sends")
        assert list(attempts) == [("", 1), ("", 2), *[("", 1)] * 4]
        assert_log_agrees(receiver)


class TestANameServer:
    def test_that_fails_and_comes_back_delays_only(
        self, world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        is_back = False

        def answer(host: str, port: int, **asked: Any) -> Any:
            if not is_back:
                raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
            return socket.getaddrinfo("127.0.0.1", port, **asked)

        monkeypatch.setattr(
            drain_module, "guarded_session", partial(guarded_session, resolve=answer)
        )
        attach(make_webhook(world, receiver.url(host="crm.example")))
        take_calls(world, 3)
        drain()
        assert set(Attempt.objects.values_list("error_kind", flat=True)) == {"dns"}

        is_back = True
        fall_due(*Delivery.objects.all())
        drain()

        assert states() == ["succeeded"] * 3
        assert_log_agrees(receiver)


class TestOurOwnProxy:
    def test_that_is_away_is_told_of_once_and_spends_no_try(
        self, world: World, receiver: Receiver
    ) -> None:
        with running_proxy() as proxy:
            proxy.answer = b"HTTP/1.1 407 Who are you\r\n\r\n"
            through = EgressPolicy.from_strings(["127.0.0.0/8"], proxy.url)
            attach(make_webhook(world, receiver.url()))
            take_calls(world, 2)
            for _ in range(3):
                drain(policy=through)
                fall_due(*Delivery.objects.all())
        assert states() == ["pending"] * 2
        tries = Attempt.objects.values_list("error_kind", "number")
        assert list(tries) == [("local", 1)] * 2
        assert set(Delivery.objects.values_list("attempt_count", flat=True)) == {0}

        drain()

        assert states() == ["succeeded"] * 2
        assert Attempt.objects.count() == 4
        assert_log_agrees(receiver)


class TestTheClock:
    def test_of_what_was_due_hours_ago_sends_it_at_once(
        self, world: World, receiver: Receiver
    ) -> None:
        attach(make_webhook(world, receiver.url()))
        take_calls(world, 4)
        hours_ago = timezone.now() - dt.timedelta(hours=5)
        Delivery.objects.update(next_attempt_at=hours_ago)
        held = Delivery.objects.earliest("pk")
        Delivery.objects.filter(pk=held.pk).update(claim=new_id(), leased_until=hours_ago)

        assert drain().succeeded == 4

        assert sorted(held.attempts.values_list("error_kind", flat=True)) == ["", "lost"]
        assert_log_agrees(receiver)


class TestTwoSweepsAtOnce:
    def test_send_each_delivery_once(
        self, world: World, receiver: Receiver, redis_server: RedisServer
    ) -> None:
        redis_server.stop()
        for number in range(3):
            attach(make_webhook(world, receiver.url(f"/slow/{number}")))
        take_calls(world, 40)

        def sweep() -> None:
            # Drains run in a loop of their own, in the main thread or any other.
            both = Sweep()
            for _ in range(PATIENCE):
                both.run_once()
            connections.close_all()

        threads = [threading.Thread(target=sweep) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)

        assert set(states()) == {"succeeded"}
        assert len(receiver.requests) == 120
        assert_log_agrees(receiver)


class TestAFullDisk:
    def test_while_recording_delays_only(self, world: World, receiver: Receiver) -> None:
        attach(make_webhook(world, receiver.url("/slow")))
        take_calls(world, 20)

        with running_drain():
            with full_disk():
                wait_until(lambda: len(receiver.requests) >= 16)
                wait_until(lambda: refusals() >= 2)
                assert not Attempt.objects.exists()
            wait_until_sent()

        assert set(states()) == {"succeeded"}
        assert len(receiver.requests) == 20
        assert_log_agrees(receiver)

    def test_while_planning_takes_nothing_in_and_wakes_nobody(
        self, world: World, receiver: Receiver, redis_server: RedisServer
    ) -> None:
        attach(make_webhook(world, receiver.url()))
        with full_disk("delivery_delivery"), pytest.raises(OperationalError):
            take_calls(world, 1)
        assert not CallEvent.objects.exists()
        assert delivery_queue().count == 0

        take_calls(world, 1)

        assert delivery_queue().count == 1
        assert drain().succeeded == 1
        assert_log_agrees(receiver)


@contextmanager
def full_disk(table: str = "delivery_attempt") -> Iterator[None]:
    """Let the database refuse every new row of a table, as it does when no space is left."""
    with connection.cursor() as cursor:
        cursor.execute(f"""
            CREATE SEQUENCE refusals;
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
              PERFORM nextval('refusals');
              RAISE 'could not extend file: No space left on device' USING ERRCODE = '53100';
            END $$;
            CREATE TRIGGER no_space BEFORE INSERT ON {table}
              FOR EACH ROW EXECUTE FUNCTION refuse();
            """)
        try:
            yield
        finally:
            cursor.execute(f"""
                DROP TRIGGER no_space ON {table};
                DROP FUNCTION refuse();
                DROP SEQUENCE refusals;
                """)


def refusals() -> int:
    """Return how often it has refused."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM refusals")
        return int(cursor.fetchone()[0])
