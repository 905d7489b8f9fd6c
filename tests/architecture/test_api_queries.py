"""Lists of the API ask the database at most eight questions, whatever the size of their page."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Account, AccountKind
from apps.common.api.viewsets import Listed
from config import api as addresses
from tests.api_client import Api, api_for, good
from tests.architecture.accounts import one_of_each
from tests.architecture.api_table import TABLE, Endpoint
from tests.architecture.test_api_permissions import filled, generic, walked
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


@pytest.mark.parametrize("endpoint", LISTS, ids=str)
def test_a_list_asks_the_same_whatever_it_shows(endpoint: Endpoint) -> None:
    rows = one_of_each("Mine")
    account = next(iter(rows.values())).account
    Account.objects.filter(pk=account.pk).update(kind=AccountKind.AGENCY)
    ids: dict[str, Any] = {
        str(model._meta.model_name): row.public_id for model, row in rows.items()
    }
    api, url = api_for(account), filled(endpoint.url, ids)
    asked(api, url)
    few = asked(api, url)
    for name in ("More", "Yet more"):
        others = one_of_each(name)
        Account.objects.filter(pk=next(iter(others.values())).account.pk).update(parent=account)
    by_name = {str(model._meta.model_name): row for model, row in rows.items()}
    TemplateVersionFactory(template=by_name["template"])
    TreatmentOptionFactory(treatment=by_name["treatment"])
    AttemptFactory(delivery=by_name["delivery"], number=2)
    many = asked(api, f"{url}?limit=200")
    assert len(many) == len(few), many
    assert len(many) <= MOST, many
    for table, columns in DOCUMENTS.items():
        for column in columns:
            assert f'"{table}"."{column}"' not in " ".join(many)


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
def test_whole_rows_in_place_of_ids_cost_nothing_more(url: str, names: str) -> None:
    rows = one_of_each("Mine")
    account = next(iter(rows.values())).account
    api = api_for(account)
    plain = asked(api, url)
    expanded = asked(api, f"{url}?expand={names}")
    assert len(expanded) <= len(plain)
