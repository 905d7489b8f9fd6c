"""The page of a call."""

import datetime as dt

import pytest
from django.urls import reverse

from apps.calls.events import EventType
from tests.conftest import LogIn
from tests.factories import AccountFactory, CallEventFactory, CallFactory


@pytest.mark.django_db
class TestTheCallPage:
    def test_shows_times_in_the_zone_of_the_account(self, log_in: LogIn) -> None:
        account = AccountFactory(time_zone="America/New_York")
        call = CallFactory(
            account=account, started_at=dt.datetime(2026, 7, 1, 2, 30, tzinfo=dt.UTC)
        )

        page = log_in(account=account).get(reverse("admin:calls_call_change", args=[call.pk]))

        assert "June 30, 2026, 10:30 p.m. EDT" in page.content.decode()

    @pytest.mark.parametrize(
        ("status", "name", "tone"),
        [("ivr", "Menu only", "hl-tag hl-tag-info"), ("busy", "Busy", "hl-tag hl-tag-wait")],
    )
    def test_names_how_it_went_as_the_list_does(
        self, log_in: LogIn, status: str, name: str, tone: str
    ) -> None:
        call = CallFactory(status=status, direction="inbound")
        CallEventFactory(call=call, type=EventType.ENDED, facts={"status": status})

        page = log_in(account=call.account).get(reverse("admin:calls_call_change", args=[call.pk]))

        (ended,) = page.context["moments"]
        assert ended.detail == name
        shown = " ".join(page.content.decode().split())
        assert f'class="{tone}">{name}</span>' in shown.replace(' ">', '">')
        assert "<dt>Direction</dt><dd>Inbound</dd>" in shown
