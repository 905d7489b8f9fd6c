"""The page of figures: right for everybody who looks, and each figure leads to as many rows."""

import datetime as dt
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Account, Location
from apps.calls.models import Call
from apps.common.access import Role
from apps.delivery.models import Delivery, DeliveryState
from tests.conftest import LogIn
from tests.factories import (
    AccountFactory,
    AgencyFactory,
    CallFactory,
    DeliveryFactory,
    LocationFactory,
    WebhookFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def agency() -> Account:
    return AgencyFactory(name="Agency")


@pytest.fixture
def clinic(agency: Account) -> Account:
    return AccountFactory(name="Clinic", parent=agency)


@pytest.fixture
def garage(agency: Account) -> Account:
    return AccountFactory(name="Garage", parent=agency)


@pytest.fixture
def browser(agency: Account, log_in: LogIn) -> Client:
    return log_in(account=agency, role=Role.VIEWER)


def place(account: Account, name: str, *states: DeliveryState) -> Location:
    """Make a location with a call, and a delivery of it in each of these states."""
    location: Location = LocationFactory(account=account, name=name)
    call = CallFactory(account=account, location=location)
    webhook = WebhookFactory(account=account, location=location)
    for state in states:
        DeliveryFactory(account=account, webhook=webhook, call=call, state=state)
    return location


def shown(browser: Client, **asked: Any) -> Any:
    response = browser.get(reverse("figures"), asked)
    assert response.status_code == 200
    return response.context


def names(browser: Client, **asked: Any) -> list[str]:
    return [row.name for row in shown(browser, **asked)["page"]]


def figures(browser: Client, **asked: Any) -> dict[str, dict[str, int]]:
    """Return the figures of each row by its name."""
    return {
        row.name: {name: count for name, count, _ in row.counts}
        for row in shown(browser, **asked)["page"]
    }


class TestFigures:
    def test_are_by_account_for_an_agency(
        self, browser: Client, clinic: Account, garage: Account
    ) -> None:
        place(clinic, "Ward", *DeliveryState, DeliveryState.FAILED)
        place(garage, "Depot")
        found = figures(browser)
        assert found["Clinic"] == {
            "calls": 1,
            "deliveries": 6,
            "failed": 3,
            "under_way": 2,
        }
        assert found["Garage"]["calls"] == 1
        assert not any(found["Agency"].values())

    def test_are_by_location_for_those_who_ask(
        self, browser: Client, clinic: Account, garage: Account
    ) -> None:
        place(clinic, "Ward", DeliveryState.SUCCEEDED)
        place(garage, "Depot", DeliveryState.FAILED, DeliveryState.FAILED)
        found = figures(browser, by="location")
        assert {name: each["deliveries"] for name, each in found.items()} == {"Ward": 1, "Depot": 2}
        assert names(browser, account=str(clinic.pk)) == ["Ward"]

    def test_are_by_location_in_one_account(self, clinic: Account, log_in: LogIn) -> None:
        place(clinic, "Ward", DeliveryState.FAILED)
        assert list(figures(log_in(account=clinic), by="account")) == ["Ward"]

    def test_are_of_the_period_that_is_asked_for(self, browser: Client, clinic: Account) -> None:
        place(clinic, "Ward", DeliveryState.FAILED)
        three_days_ago = timezone.now() - dt.timedelta(days=3)
        for model in (Call, Delivery):
            model._base_manager.update(created_at=three_days_ago)
        assert not any(figures(browser)["Clinic"].values())
        assert figures(browser, days="7")["Clinic"]["failed"] == 1
        assert shown(browser, days="7")["page"][0].totals.last_failure_at == three_days_ago

    @pytest.mark.parametrize("by", ["account", "location"])
    def test_lead_to_lists_of_as_many_rows(
        self, browser: Client, clinic: Account, garage: Account, by: str
    ) -> None:
        place(clinic, "Ward", *DeliveryState, DeliveryState.FAILED)
        place(clinic, "Lab", DeliveryState.SUCCEEDED, DeliveryState.FAILED)
        place(garage, "Depot", DeliveryState.PENDING)
        for row in shown(browser, by=by)["page"]:
            for name, count, link in row.counts:
                listed = browser.get(link).context["cl"].result_list
                assert len(listed) == count, (row.name, name)

    def test_are_added_up(self, browser: Client, clinic: Account, garage: Account) -> None:
        place(clinic, "Ward", DeliveryState.FAILED)
        place(garage, "Depot", DeliveryState.FAILED)
        whole = {name: count for name, count, _ in shown(browser)["whole"].counts}
        assert (whole["calls"], whole["failed"]) == (2, 2)


class TestTheOrder:
    @pytest.fixture(autouse=True)
    def _places(self, clinic: Account, garage: Account) -> None:
        place(clinic, "Beta", DeliveryState.FAILED)
        place(garage, "alpha", *[DeliveryState.SUCCEEDED] * 2)
        place(garage, "Gamma", *[DeliveryState.FAILED] * 2)
        place(garage, "Aleph")

    @pytest.mark.parametrize(
        ("order", "expected"),
        [
            ("", ["Gamma", "Beta", "alpha", "Aleph"]),
            ("name", ["Aleph", "alpha", "Beta", "Gamma"]),
            ("-name", ["Gamma", "Beta", "alpha", "Aleph"]),
            ("account", ["Beta", "alpha", "Gamma", "Aleph"]),
            ("-deliveries", ["alpha", "Gamma", "Beta", "Aleph"]),
            ("last_failure_at", ["alpha", "Aleph", "Beta", "Gamma"]),
            ("nonsense", ["Gamma", "Beta", "alpha", "Aleph"]),
        ],
    )
    def test_is_the_one_that_is_asked_for(
        self, browser: Client, order: str, expected: list[str]
    ) -> None:
        assert names(browser, by="location", o=order) == expected

    def test_is_turned_around_by_the_head_of_its_column(self, browser: Client) -> None:
        for order, sorting in (("name", "ascending"), ("-name", "descending")):
            _, title, link, told = shown(browser, by="location", o=order)["columns"][0]
            assert (title, told) == ("Location", sorting)
            turned = [row.name for row in browser.get(link).context["page"]]
            assert turned == names(browser, by="location", o=order)[::-1]


class TestTheWall:
    def test_shows_each_their_own(self, clinic: Account, garage: Account, log_in: LogIn) -> None:
        place(clinic, "Ward", DeliveryState.FAILED)
        place(garage, "Depot", DeliveryState.FAILED)
        stranger = log_in(account=AccountFactory())
        assert names(log_in(account=clinic)) == ["Ward"]
        assert names(stranger) == []
        assert "No location yet" in stranger.get(reverse("figures")).content.decode()

    @pytest.mark.parametrize("by", ["account", "location"])
    def test_keeps_other_agencies_out(self, browser: Client, clinic: Account, by: str) -> None:
        other = AccountFactory(name="Theirs", parent=AgencyFactory(name="Rival"))
        place(other, "Theirs", DeliveryState.FAILED)
        assert not {"Theirs", "Rival"} & set(names(browser, by=by))

    @pytest.mark.parametrize("named", ["theirs", "nobody's", str(uuid.UUID(int=7))])
    def test_knows_no_account_out_of_reach(self, browser: Client, named: str) -> None:
        account = str(AccountFactory().pk) if named == "theirs" else named
        assert browser.get(reverse("figures"), {"account": account}).status_code == 404

    def test_is_for_those_who_are_logged_in(self, client: Client) -> None:
        assert client.get(reverse("figures")).status_code == 302


class TestTheQuestions:
    @pytest.mark.parametrize("by", ["account", "location"])
    def test_are_as_many_whatever_is_shown(self, browser: Client, agency: Account, by: str) -> None:
        asked = []
        for number in range(4):
            account = AccountFactory(name=f"Client {number}", parent=agency)
            place(account, f"Place {number}", DeliveryState.FAILED)
            with CaptureQueriesContext(connection) as queries:
                assert len(names(browser, by=by)) >= number
            asked.append(len(queries))
        assert asked[1] == asked[-1], asked
