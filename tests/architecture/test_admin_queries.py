"""Lists ask the database a fixed number of questions, whatever they show."""

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import Account
from apps.common.access import Role
from apps.common.admin import AccountScopedAdmin
from apps.common.models import AccountOwned
from tests.architecture.accounts import one_of_each
from tests.conftest import LogIn
from tests.factories import AgencyFactory

pytestmark = pytest.mark.django_db

# Session, person, accounts, wall in and out, and what a list and its filters ask for.
MOST = 20
LISTS = pytest.mark.parametrize(
    "model",
    [
        model
        for model, found in admin.site._registry.items()
        if isinstance(found, AccountScopedAdmin)
    ],
    ids=lambda model: model.__name__,
)


def count(browser: Client, link: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert browser.get(link).status_code == 200
    return len(asked)


@pytest.fixture(scope="module")
def small(kept: None) -> Account:
    return agency_over(1)


@pytest.fixture(scope="module")
def large(kept: None) -> Account:
    return agency_over(7)


def agency_over(clients: int) -> Account:
    """Make an agency over so many accounts with a row of everything."""
    agency: Account = AgencyFactory()
    for _ in range(clients):
        account = next(iter(one_of_each("Client").values())).account
        Account.objects.filter(pk=account.pk).update(parent=agency)
    return agency


@LISTS
def test_a_list_asks_the_same_whatever_it_shows(
    model: type[AccountOwned], log_in: LogIn, small: Account, large: Account
) -> None:
    link = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    few, many = (log_in(account=agency, role=Role.OWNER) for agency in (small, large))
    count(few, link)
    assert count(many, link) <= count(few, link) <= MOST


def test_home_asks_the_same_whatever_it_shows(log_in: LogIn) -> None:
    agency = AgencyFactory()
    browser = log_in(account=agency, role=Role.OWNER)
    for name in ("First", "Second", "Third"):
        account = next(iter(one_of_each(name).values())).account
        account.parent = agency
        account.save()
        if name == "First":
            few = count(browser, reverse("admin:index"))
    assert count(browser, reverse("admin:index")) <= few <= MOST
