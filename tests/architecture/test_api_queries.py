"""Lists of the API ask the database at most eight questions, whatever the size of their page."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Account
from apps.campaigns.models import Treatment
from apps.common.api.viewsets import Listed
from apps.delivery.models import Delivery
from apps.webhooks.models import Template
from config import api as addresses
from tests.api_client import Api, api_for, good
from tests.architecture.accounts import Rows, one_of_each
from tests.architecture.api_table import TABLE, Endpoint
from tests.architecture.test_api_permissions import agency_of, filled, generic, walked
from tests.factories import AttemptFactory, TemplateVersionFactory, TreatmentOptionFactory

pytestmark = pytest.mark.django_db

MOST = 8
# The last words of addresses that list rows; others show one, or answer a question.
PLURALS = {url.rpartition("/")[2] for method, url, _ in walked() if method == "GET"} & {
    pattern.rpartition("/")[2] for pattern, _, _ in addresses.router.registry
}
# What no list may fetch: documents, and secrets.
DOCUMENTS = {
    "calls_call": ("snapshot", "context"),
    "calls_callevent": ("snapshot", "facts"),
    "delivery_attempt": ("request_headers", "request_body", "response_headers", "response_body"),
    "ivr_ivrexchange": ("tries", "reply"),
    "webhooks_templateversion": ("sample", "mapping"),
    "webhooks_webhook": ("secret",),
}
LISTS = [
    endpoint
    for endpoint in TABLE
    for method, url, view in walked()
    if method == endpoint.method == "GET"
    and generic(url) == generic(endpoint.url)
    and issubclass(view, Listed)
    and url.rpartition("/")[2] in PLURALS
]


def asked(api: Api, url: str) -> list[str]:
    """Return the statements of a request, but for those that open and close its transaction."""
    with CaptureQueriesContext(connection) as captured:
        assert good(api.get(url))["data"]
    return [
        query["sql"]
        for query in captured.captured_queries
        if not query["sql"].startswith(("SAVEPOINT", "RELEASE", "SELECT set_config"))
    ]


@pytest.fixture(scope="module")
def crowded(kept: None) -> Rows:
    """Rows of an account with more of everything, and with clients that have some, too."""
    rows = one_of_each("Many")
    account, _ = agency_of(rows)
    for name in ("More", "Yet more"):
        others = one_of_each(name)
        Account.objects.filter(pk=next(iter(others.values())).account.pk).update(parent=account)
    TemplateVersionFactory(template=rows[Template])
    TreatmentOptionFactory(treatment=rows[Treatment])
    AttemptFactory(delivery=rows[Delivery], number=2)
    return rows


@pytest.mark.parametrize("endpoint", LISTS, ids=str)
def test_a_list_asks_the_same_whatever_it_shows(
    endpoint: Endpoint, mine: Rows, crowded: Rows
) -> None:
    (one, its_ids), (large, large_ids) = agency_of(mine), agency_of(crowded)
    asked(api_for(one), filled(endpoint.url, its_ids))
    few = asked(api_for(one), filled(endpoint.url, its_ids))
    many = asked(api_for(large), f"{filled(endpoint.url, large_ids)}?limit=200")
    assert len(many) == len(few), many
    assert len(many) <= MOST, many
    assert_fetches_no_documents(many)


def assert_fetches_no_documents(statements: list[str]) -> None:
    for table, columns in DOCUMENTS.items():
        for column in columns:
            assert f'"{table}"."{column}"' not in " ".join(statements)


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("/webhooks", "location,template"),
        ("/deliveries", "webhook,call"),
        ("/tracking-numbers", "location,campaign"),
        ("/calls", "location"),
        ("/locations", "group"),
        ("/alerts", "webhook"),
    ],
)
def test_whole_rows_in_place_of_ids_cost_at_most_a_query_each(
    url: str, names: str, mine: Rows
) -> None:
    api = api_for(next(iter(mine.values())).account)
    plain = asked(api, url)
    expanded = asked(api, f"{url}?expand={names}")
    assert len(expanded) <= len(plain) + len(names.split(","))
    assert len(expanded) <= MOST
    assert_fetches_no_documents(expanded)
