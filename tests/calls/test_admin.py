"""The page of a call."""

import datetime as dt

import pytest
from django.urls import reverse

from tests.conftest import LogIn
from tests.factories import AccountFactory, CallFactory


@pytest.mark.django_db
class TestTheCallPage:
    def test_shows_times_in_the_zone_of_the_account(self, log_in: LogIn) -> None:
        account = AccountFactory(time_zone="America/New_York")
        call = CallFactory(
            account=account, started_at=dt.datetime(2026, 7, 1, 2, 30, tzinfo=dt.UTC)
        )

        page = log_in(account=account).get(reverse("admin:calls_call_change", args=[call.pk]))

        assert "June 30, 2026, 10:30 p.m. EDT" in page.content.decode()
