"""How many requests a sender may make in a minute."""

import uuid

import pytest
from pytest_django import Settings

from apps.common.api import rate_limits
from tests.api_client import Api, api_for, good, problem
from tests.builders import World, event

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no minute end in the middle of a test."""
    monkeypatch.setattr(rate_limits.time, "time", lambda: 600.0)
    monkeypatch.setattr(rate_limits, "_silent_until", 0.0)


class TestALimit:
    def test_is_told_with_every_answer(self, world: World, settings: Settings) -> None:
        settings.API_RATE_LIMIT = 5
        api = api_for(world.account)
        first, second = api.get("/templates"), api.get("/templates/none")
        assert [first["RateLimit-Limit"], first["RateLimit-Remaining"]] == ["5", "4"]
        assert (second.status_code, second["RateLimit-Remaining"]) == (404, "3")
        assert first["RateLimit-Reset"] == "60"

    def test_refuses_what_is_over_it(self, world: World, settings: Settings) -> None:
        settings.API_RATE_LIMIT = 1
        api = api_for(world.account)
        good(api.get("/templates"))
        refused = api.get("/templates")
        problem(refused, 429, "rate_limited")
        assert (refused["Retry-After"], refused["RateLimit-Remaining"]) == ("60", "0")
        good(api_for(world.account).get("/templates"))

    def test_of_events_is_another(self, world: World, settings: Settings) -> None:
        settings.API_RATE_LIMIT, settings.INTAKE_RATE_LIMIT = 1, 7
        api = Api(world.token)
        good(api.get("/templates"))
        assert api.post("/events", event(world))["RateLimit-Remaining"] == "6"

    def test_of_zero_is_none(self, world: World, settings: Settings) -> None:
        settings.API_RATE_LIMIT = 0
        assert "RateLimit-Limit" not in api_for(world.account).get("/templates")

    def test_counts_nothing_while_redis_is_away(self, world: World, settings: Settings) -> None:
        settings.API_RATE_LIMIT = 1
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        api = api_for(world.account)
        for _ in range(3):
            assert "RateLimit-Limit" not in api.get("/templates")


class TestALargeLimit:
    def test_is_counted_by_each_process_in_shares(self, world: World, settings: Settings) -> None:
        settings.API_RATE_LIMIT = 3_000
        api = api_for(world.account)
        left = [api.get("/templates")["RateLimit-Remaining"] for _ in range(5)]
        assert left == ["2999", "2998", "2997", "2996", "2995"]

    def test_of_several_processes_is_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        processes = [rate_limits._Shares() for _ in range(3)]
        name, passed = str(uuid.uuid4()), 0
        for number in range(6_600):
            monkeypatch.setattr(rate_limits, "_shares", processes[number % 3])
            quota = rate_limits.spend(name, 6_000)
            passed += quota is not None and not quota.is_spent
        assert passed == 6_000

    def test_is_not_lost_where_several_threads_ask_at_once(self) -> None:
        shares = rate_limits._Shares()
        shares.keep("one", 2, 3)
        shares.keep("one", 2, 6)
        assert [shares.take("one") for _ in range(5)] == [3, 4, 5, 6, None]
