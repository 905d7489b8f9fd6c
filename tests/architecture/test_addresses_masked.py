"""Whoever only looks learns from no page and no answer with what a receiver is called."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Scope
from apps.common.access import Role
from apps.common.masking import MASK
from apps.delivery.models import Attempt
from apps.ivr.models import DecidedBy, IvrExchange, IvrHook
from apps.webhooks.models import Webhook
from tests.api_client import api_for
from tests.architecture.accounts import Rows
from tests.architecture.api_table import TABLE, Endpoint
from tests.architecture.test_admin_links import walked
from tests.architecture.test_api_permissions import agency_of, filled
from tests.conftest import LogIn
from tests.factories import MembershipFactory

pytestmark = pytest.mark.django_db

URL = "https://93.184.216.34/in/aB3dE5gH7jK9mN1pQ3sT5vW7?client_id=1234&api_key=hush"
SECRETS = ("hush", "aB3dE5gH7jK9mN1pQ3sT5vW7")
SHOWN = f"https://93.184.216.34/in/{MASK}?client_id=1234&api_key={MASK}"
ANSWER = {"response_status": 301, "response_headers": [["Location", URL]]}
TRY = {
    "number": 1,
    "method": "GET",
    "url": URL,
    "request_headers": {},
    "request_body": "",
    **ANSWER,
    "response_body": "",
    "is_response_truncated": False,
    "error_kind": "",
    "error_message": "",
    "dns_ms": 1.0,
    "connect_ms": 1.0,
    "first_byte_ms": 1.0,
    "total_ms": 1.0,
    "sends": 1,
}
READS = [each for each in TABLE if each.method == "GET"]
WITH_ADDRESSES = {
    "/webhooks",
    "/webhooks/{webhook}",
    "/deliveries?expand=webhook",
    "/deliveries/{delivery}/attempts",
    "/deliveries/{delivery}/attempts/{attempt}",
    "/alerts?expand=webhook",
    "/ivrs/{ivr}/hook",
    "/ivrs/{ivr}/exchanges/{ivrexchange}",
    "/ivrs/{ivr}/stats",
}


@pytest.fixture
def rows(mine: Rows) -> Rows:
    """Rows whose receivers are called by addresses that nobody else should have."""
    Webhook.objects.filter(pk=mine[Webhook].pk).update(url=URL)
    Attempt.objects.filter(pk=mine[Attempt].pk).update(url=URL, **ANSWER)
    IvrHook.objects.filter(pk=mine[IvrHook].pk).update(
        target_url=URL, fallback_url=URL, redirect_url=URL
    )
    tries = [{"step": step.value, **TRY} for step in (DecidedBy.TARGET, DecidedBy.FALLBACK)]
    IvrExchange.objects.filter(pk=mine[IvrExchange].pk).update(tries=tries)
    return mine


def told(text: str) -> set[str]:
    """Return what of the address a page or an answer tells."""
    return {each for each in SECRETS if each in text}


def pages(browser: Client) -> Iterator[tuple[str, str]]:
    """Yield each kind of page that links lead to, from the home page on."""
    for _, link, status in walked(browser):
        if status == 200:
            yield link, browser.get(link).content.decode()


def test_no_page_tells_a_viewer(rows: Rows, log_in: LogIn) -> None:
    seen = dict(pages(log_in(account=rows[Webhook].account, role=Role.VIEWER)))
    assert {link: told(text) for link, text in seen.items() if told(text)} == {}
    masked = [link for link, text in seen.items() if MASK in text]
    # The lists and pages of webhooks, deliveries, exchanges, IVRs and locations, and the history.
    assert len(masked) >= 6, masked


def test_pages_tell_members(rows: Rows, log_in: LogIn) -> None:
    member = log_in(account=rows[Webhook].account, role=Role.MEMBER)
    for name, row in (
        ("webhooks_webhook_changelist", None),
        ("webhooks_webhook_change", rows[Webhook]),
        ("accounts_location_webhooks", rows[Webhook].location),
        ("delivery_delivery_change", rows[Attempt].delivery),
        ("ivr_ivr_webhook", rows[IvrHook].ivr),
        ("ivr_ivr_exchanges", rows[IvrHook].ivr),
        ("ivr_ivrexchange_change", rows[IvrExchange]),
    ):
        link = reverse(f"admin:{name}", args=[row.pk] if row else [])
        assert told(member.get(link).content.decode()) == set(SECRETS), name
    viewer = log_in(account=rows[Webhook].account, role=Role.VIEWER)
    page = reverse("admin:delivery_delivery_change", args=[rows[Attempt].delivery.pk])
    assert f"curl -X POST &#x27;{SHOWN.replace('&', '&amp;')}&#x27;" in viewer.get(page).text


@pytest.mark.parametrize(
    ("name", "model"),
    [("webhooks_webhook", Webhook), ("faces_callcomplete", Webhook), ("ivr_ivr", IvrHook)],
)
def test_nobody_guesses_by_searching(
    rows: Rows, log_in: LogIn, name: str, model: type[Any]
) -> None:
    Webhook.objects.filter(pk=rows[Webhook].pk).update(face="call_complete")
    row = rows[model].ivr if model is IvrHook else rows[model]
    account = rows[model].account
    other = MembershipFactory(user=MembershipFactory(account=account, role=Role.VIEWER).user)
    for browser, finds in (
        (log_in(account=account, role=Role.MEMBER), True),
        (log_in(account=account, role=Role.VIEWER), False),
        # Who works in one account and looks at another sees the lists of both at once.
        (log_in(user=other.user), False),
    ):
        page = browser.get(reverse(f"admin:{name}_changelist"), {"q": "api_key=h"})
        assert (str(row.pk) in page.content.decode()) is finds


def test_what_changed_is_told_without_it(rows: Rows, log_in: LogIn) -> None:
    webhook = Webhook.objects.get(pk=rows[Webhook].pk)
    page = reverse("admin:webhooks_webhook_history", args=[webhook.pk])
    for role in (Role.VIEWER, Role.OWNER):
        text = log_in(account=webhook.account, role=role).get(page).content.decode()
        assert MASK in text
        assert told(text) == set()


@pytest.mark.parametrize("endpoint", READS, ids=str)
def test_no_answer_tells_a_key_that_only_reads(endpoint: Endpoint, rows: Rows) -> None:
    account, ids = agency_of(rows)
    answer = api_for(account, Scope.READ).get(filled(endpoint.url, ids))
    assert told(answer.content.decode()) == set()


@pytest.mark.parametrize("url", sorted(WITH_ADDRESSES))
def test_keys_that_write_are_told(url: str, rows: Rows) -> None:
    account, ids = agency_of(rows)
    answers = [
        api_for(account, *scopes).get(filled(url, ids)).content.decode()
        for scopes in ((Scope.READ,), (Scope.READ, Scope.WRITE))
    ]
    assert [told(each) for each in answers] == [set(), set(SECRETS)]
    assert SHOWN in answers[0]


def test_who_asks_for_some_fields_only_is_told_no_more(rows: Rows) -> None:
    api = api_for(rows[Webhook].account, Scope.READ)
    found = api.get("/webhooks?fields=url").json()["data"]
    assert SHOWN in {row["url"] for row in found}
