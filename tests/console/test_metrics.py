"""What a Prometheus reads, and who may."""

import datetime as dt
import uuid

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from apps.console import metrics
from apps.delivery.models import Delivery, EndpointHealth
from tests.builders import World, attach, make_webhook
from tests.delivery.sending import drain, take_calls

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "a-long-and-random-token"


@pytest.fixture
def _open(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN


def scrape() -> dict[tuple[str, str], float]:
    """Return each value by its name and its first label."""
    answer = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    return {
        (sample.name.removeprefix("hookline_"), "/".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


class TestMetrics:
    def test_are_not_there_without_a_token(self) -> None:
        assert b"hookline_" not in Client().get("/metrics", follow=True).content

    @pytest.mark.usefixtures("_open")
    @pytest.mark.parametrize("given", ["", "Bearer x", TOKEN, f"Basic {TOKEN}", "Bearer é"])
    def test_are_for_those_who_know_it(self, given: str) -> None:
        answer = Client().get("/metrics", headers={"Authorization": given})
        assert answer.status_code == 401

    @pytest.mark.usefixtures("_open")
    def test_tell_what_is_sent_and_what_waits(self, world: World) -> None:
        attach(make_webhook(world, "http://127.0.0.1:9/"))
        take_calls(world, 3)
        before = scrape()
        assert before["deliveries_unfinished", "due"] == 3
        assert before["planned_last_minute", ""] == 3
        assert before["redis_up", ""] == 1

        drain()
        Delivery.objects.filter(pk=Delivery.objects.earliest("pk").pk).update(
            next_attempt_at=timezone.now() - dt.timedelta(seconds=30)
        )
        EndpointHealth.objects.update(probe_at=timezone.now() - dt.timedelta(seconds=1))

        after = scrape()
        assert after["tries_last_minute", "blocked"] == 3
        assert after["try_milliseconds_last_minute", "blocked/0.99"] >= 0
        assert after["deliveries_unfinished", "due"] == 1
        assert after["deliveries_unfinished", "scheduled"] == 2
        assert after["open_breakers", ""] == 1
        assert after["delivery_lag_seconds", ""] >= 30

    @pytest.mark.usefixtures("_open")
    def test_tell_of_a_try_that_was_lost_with_its_worker(self, world: World) -> None:
        attach(make_webhook(world, "http://127.0.0.1:9/"))
        take_calls(world, 1)
        Delivery.objects.update(
            claim=uuid.uuid4(), leased_until=timezone.now() - dt.timedelta(seconds=1)
        )
        drain()
        assert scrape()["tries_last_minute", "lost"] == 1

    @pytest.mark.usefixtures("_open")
    def test_stop_counting_what_waits(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        for _ in range(2):
            attach(make_webhook(world, "http://127.0.0.1:9/"))
        take_calls(world, 4)
        later = Delivery.objects.order_by("call", "webhook")[:4].values("pk")
        Delivery.objects.filter(pk__in=later).update(
            next_attempt_at=timezone.now() + dt.timedelta(hours=1)
        )
        found = [scrape()]
        monkeypatch.setattr(metrics, "MOST_COUNTED", 3)
        found.append(scrape())
        for state in ("due", "scheduled"):
            assert [each["deliveries_unfinished", state] for each in found] == [4, 3]

    @pytest.mark.usefixtures("_open")
    def test_say_that_redis_is_away(self, settings: Settings) -> None:
        settings.REDIS_URL = "unix:///nonexistent/redis.sock?db=0"
        found = scrape()
        assert found["redis_up", ""] == 0
        assert ("drains", "") not in found
