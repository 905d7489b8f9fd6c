"""Lists, and pages that show many rows, load no whole documents and decrypt no secrets."""

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import Location
from apps.calls.models import Call
from apps.common.access import Role
from apps.common.admin import AccountScopedAdmin
from apps.common.models import AccountOwned
from tests.architecture.accounts import Rows
from tests.conftest import LogIn

pytestmark = pytest.mark.django_db

HEAVY = ("context", "snapshot", "facts", "secret", "sample", "mapping")
LISTS = [
    model for model, found in admin.site._registry.items() if isinstance(found, AccountScopedAdmin)
]
PAGES = [
    (Call, "calls_call_change"),
    (Location, "accounts_location_webhooks"),
    (Location, "accounts_location_campaigns"),
    (Location, "accounts_location_treatments"),
]


def heavy_columns(queries: list[dict[str, str]]) -> set[str]:
    """Return the heavy columns that these queries read."""
    return {
        name
        for query in queries
        for name in HEAVY
        if query["sql"].startswith("SELECT") and f'."{name}"' in query["sql"].split(" FROM ")[0]
    }


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model.__name__)
def test_a_list_reads_no_documents(model: type[AccountOwned], mine: Rows, log_in: LogIn) -> None:
    browser = log_in(account=mine[model].account, role=Role.OWNER)
    link = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    with CaptureQueriesContext(connection) as asked:
        assert browser.get(link).status_code == 200
    assert heavy_columns(asked.captured_queries) == set()


@pytest.mark.parametrize(("model", "page"), PAGES, ids=[page for _, page in PAGES])
def test_a_page_of_many_rows_reads_no_documents(
    model: type[AccountOwned], page: str, mine: Rows, log_in: LogIn
) -> None:
    row = mine[model]
    browser = log_in(account=row.account, role=Role.OWNER)
    with CaptureQueriesContext(connection) as asked:
        assert browser.get(reverse(f"admin:{page}", args=[row.pk])).status_code == 200
    assert heavy_columns(asked.captured_queries) - {"facts"} == set()
