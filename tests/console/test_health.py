"""What probes are told."""

import datetime as dt
from collections.abc import Iterator

import pytest
import redis
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from apps.accounts.access import access_of_key
from apps.common import outages
from apps.common.embedded import EmbeddedServices
from apps.delivery.models import Delivery, EndpointHealth
from apps.intake.services import accept_events
from apps.webhooks.models import Webhook
from tests.builders import World, attach, event, make_webhook, switch_off
from tests.transactions import database_away

NOWHERE = "unix:///nonexistent/redis.sock?db=0"


@pytest.fixture(autouse=True)
def _nothing_said_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outages, "_said_at_s", {})


@pytest.fixture
def no_redis(settings: Settings) -> None:
    settings.REDIS_URL = NOWHERE


@pytest.fixture
def no_database() -> Iterator[None]:
    with database_away():
        yield


@pytest.fixture
def webhook(world: World) -> Webhook:
    """A webhook with two deliveries, the older of which has been due for two minutes."""
    webhook = make_webhook(world, "http://127.0.0.1:9/")
    attach(webhook)
    bodies = [event(world, call_id=f"c{number}") for number in (1, 2)]
    accept_events(access=access_of_key(world.key), bodies=bodies)
    first = Delivery.objects.filter(webhook=webhook).earliest("created_at")
    first.next_attempt_at = timezone.now() - dt.timedelta(minutes=2)
    first.save(update_fields=["next_attempt_at"])
    return webhook


class TestHealthz:
    def test_needs_no_database(self) -> None:
        # Without the `db` fixture any query is an error.
        response = Client().get("/healthz")
        assert (response.status_code, response.json()) == (200, {"status": "ok"})

    def test_answers_to_any_host_name_and_without_tls(self, settings: Settings) -> None:
        settings.ALLOWED_HOSTS = ["hooks.example.com"]
        settings.SECURE_SSL_REDIRECT = True
        assert Client().get("/healthz", HTTP_HOST="10.0.0.7:8000").status_code == 200

    def test_is_not_stored_by_proxies(self) -> None:
        assert Client().get("/healthz")["Cache-Control"] == "no-store"

    def test_is_for_reading_only(self, db: None) -> None:
        assert Client().post("/healthz").status_code in (404, 405, 302)


class TestReadyz:
    def test_tells_database_redis_and_lag(self, db: None) -> None:
        response = Client().get("/readyz")
        assert response.status_code == 200
        assert response.json() == {
            "status": "ready",
            "database": "ok",
            "redis": "ok",
            "delivery_lag_s": 0,
        }

    def test_tells_how_long_the_oldest_due_delivery_waits(self, webhook: Webhook) -> None:
        lag_s = Client().get("/readyz").json()["delivery_lag_s"]
        assert lag_s == pytest.approx(120, abs=10)

    def test_counts_no_delivery_of_a_webhook_that_is_off(self, webhook: Webhook) -> None:
        switch_off(webhook, "for a test")
        assert Client().get("/readyz").json()["delivery_lag_s"] == 0

    def test_counts_what_a_limit_holds_back_from_when_it_could_go(self, webhook: Webhook) -> None:
        webhook.rate_limit = 1
        webhook.rate_unit = "minute"
        webhook.save()
        health = EndpointHealth.objects.filter(webhook=webhook)
        now = timezone.now()

        health.update(tokens=0, tokens_at=now - dt.timedelta(seconds=30))
        assert Client().get("/readyz").json()["delivery_lag_s"] == 0

        health.update(tokens=0, tokens_at=now - dt.timedelta(seconds=70))
        lag_s = Client().get("/readyz").json()["delivery_lag_s"]
        assert lag_s == pytest.approx(10, abs=5)

    def test_asks_once(
        self, webhook: Webhook, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(1):
            Client().get("/readyz")

    def test_is_ready_without_redis_and_says_so(self, db: None, no_redis: None) -> None:
        response = Client().get("/readyz")
        assert (response.status_code, response.json()["redis"]) == (200, "unreachable")

    def test_tells_that_redis_takes_no_writes(self, db: None, settings: Settings) -> None:
        with EmbeddedServices.temporary(postgres=False) as services:
            settings.REDIS_URL = services.redis_url
            redis.Redis.from_url(services.redis_url).config_set("maxmemory", 1)
            response = Client().get("/readyz")
        assert (response.status_code, response.json()["redis"]) == (200, "takes no writes")

    def test_is_not_ready_while_the_database_takes_no_writes(self, db: None) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL default_transaction_read_only = on")
        response = Client().get("/readyz")
        assert response.status_code == 503
        assert response.json() == {
            "status": "not ready",
            "database": "takes no writes",
            "redis": "ok",
            "delivery_lag_s": 0,
        }

    @pytest.mark.django_db(transaction=True)
    def test_says_once_what_is_away(
        self, no_database: None, no_redis: None, caplog: pytest.LogCaptureFixture
    ) -> None:
        for _ in range(3):
            Client().get("/readyz")
        assert [line.getMessage().partition(":")[0] for line in caplog.records] == [
            "Redis can not be used",
            "The database can not be used",
        ]

    @pytest.mark.django_db(transaction=True)
    def test_is_not_ready_without_the_database(self, no_database: None) -> None:
        response = Client().get("/readyz")
        assert response.status_code == 503
        assert response.json() == {
            "status": "not ready",
            "database": "unreachable",
            "redis": "ok",
            "delivery_lag_s": None,
        }
