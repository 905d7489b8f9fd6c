"""What the API tells of how much was used."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import Scope
from tests.api_client import Api, api_for, good
from tests.factories import AccountFactory, CallFactory, DeliveryFactory

pytestmark = pytest.mark.django_db

DAY = dt.date(2026, 3, 28)
MIDNIGHT = dt.datetime(2026, 3, 28, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
NEXT_DAY = dt.timedelta(days=1)


def delivered(account: Any, at: dt.datetime, **fields: Any) -> None:
    """Store a delivery of a moment, of a call of the same moment."""
    call = CallFactory(account=account, created_at=at)
    DeliveryFactory(account=account, call=call, created_at=at, **fields)


def used(api: Api, query: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = good(api.get(f"/usage?{query}"))["data"]
    return rows


class TestUsage:
    @pytest.fixture
    def account(self) -> Any:
        return AccountFactory()

    @pytest.fixture
    def api(self, account: Any) -> Api:
        return api_for(account, Scope.READ)

    def test_counts_what_became_of_the_deliveries_of_a_day(self, api: Api, account: Any) -> None:
        for state, tries in (
            ("succeeded", 1),
            ("succeeded", 3),
            ("failed", 12),
            ("expired", 2),
            ("pending", 4),
            ("waiting", 0),
            ("skipped", 0),
        ):
            delivered(account, MIDNIGHT, state=state, attempt_count=tries)

        assert used(api, "since=2026-03-01&until=2026-03-31") == [
            {
                "account": account.public_id,
                "day": "2026-03-28",
                "calls": 7,
                "deliveries": 6,
                "succeeded": 2,
                "failed": 2,
                "tries": 22,
            }
        ]

    def test_days_begin_and_end_at_midnight_utc(self, api: Api, account: Any) -> None:
        account.time_zone = "America/Los_Angeles"
        account.save(update_fields=["time_zone"])
        for at in (MIDNIGHT - SECOND, MIDNIGHT, MIDNIGHT + NEXT_DAY - SECOND, MIDNIGHT + NEXT_DAY):
            delivered(account, at)

        days = used(api, "since=2026-03-27&until=2026-03-29")
        assert [(day["day"], day["calls"], day["deliveries"]) for day in days] == [
            ("2026-03-27", 1, 1),
            ("2026-03-28", 2, 2),
            ("2026-03-29", 1, 1),
        ]
        (only,) = used(api, "since=2026-03-28&until=2026-03-28")
        assert only["day"] == "2026-03-28"

    def test_counts_the_day_that_runs(self, api: Api, account: Any) -> None:
        assert used(api, "") == []
        now = timezone.now()
        delivered(account, now)
        (today,) = used(api, "")
        assert (today["day"], today["deliveries"]) == (now.date().isoformat(), 1)
        delivered(account, now)
        assert [day["deliveries"] for day in used(api, "")] == [2]

    def test_a_call_that_started_nothing_counts(self, api: Api, account: Any) -> None:
        CallFactory(account=account, created_at=MIDNIGHT)
        (day,) = used(api, "since=2026-03-28&until=2026-03-28")
        assert (day["calls"], day["deliveries"], day["tries"]) == (1, 0, 0)

    def test_an_agency_sees_each_of_its_clients_apart(self) -> None:
        agency = AccountFactory(kind="agency")
        clients = [AccountFactory(parent=agency) for _ in range(2)]
        stranger = AccountFactory()
        for account in (agency, *clients, stranger):
            delivered(account, MIDNIGHT)

        rows = used(api_for(agency, Scope.READ), "since=2026-03-28&until=2026-03-28")

        assert {row["account"] for row in rows} == {each.public_id for each in (agency, *clients)}
        assert all(row["calls"] == row["deliveries"] == 1 for row in rows)
