"""The home page: what happened in the last 24 hours, and the lists behind each figure."""

import datetime as dt
import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Account
from apps.common.access import Role
from apps.delivery.models import Delivery, DeliveryState
from tests.builders import lose_key
from tests.conftest import LogIn
from tests.factories import AccountFactory, CallFactory, DeliveryFactory, WebhookFactory

pytestmark = pytest.mark.django_db

_FIGURE = re.compile(
    r'<a class="hl-card hl-figure" href="([^"]+)"><span>([^<]+)</span><strong[^>]*>(\d+)<'
)


@pytest.fixture
def account() -> Account:
    return AccountFactory()


def figures_of(browser: Client) -> dict[str, tuple[str, int]]:
    """Return where each figure leads, and how much it is, by its name."""
    page = browser.get(reverse("admin:index")).content.decode()
    return {name: (unescape(address), int(count)) for address, name, count in _FIGURE.findall(page)}


class TestTheFirstSteps:
    @staticmethod
    def steps(browser: Client) -> dict[str, Any]:
        found = browser.get(reverse("admin:index")).context["steps"]
        return {step["title"]: step for step in found}

    def test_lead_to_a_delivery_and_back_each_time(self, log_in: LogIn, account: Account) -> None:
        browser = log_in(account=account, role=Role.ADMIN)
        home = reverse("admin:index")
        steps = self.steps(browser)
        assert [step["is_done"] for step in steps.values()] == [False] * 4
        for step in steps.values():
            assert browser.get(step["link"]).status_code == 200
        location = {"name": "Shop", "country": "US", "time_zone": "UTC", "is_active": "on"}
        assert browser.post(steps["Add a location"]["link"], location).headers["Location"] == home
        assert "next" in steps["Create a webhook"]["link"]
        webhook = WebhookFactory(account=account, location=None)

        link = self.steps(browser)["Attach it"]["link"]
        assert f'value="{webhook.pk}" selected' in browser.get(link).content.decode()
        attached = browser.post(link, {"webhook": str(webhook.pk), "timing": "end"})
        assert attached.headers["Location"] == home
        assert [step["is_done"] for step in self.steps(browser).values()] == [True] * 3 + [False]

        CallFactory(account=account)
        assert self.steps(browser) == {}

    def test_lead_to_a_key_that_takes_calls_in(self, log_in: LogIn, account: Account) -> None:
        browser = log_in(account=account, role=Role.ADMIN)
        link = reverse("admin:accounts_apikey_add") + "?scopes=ingest"
        assert f'href="{link}"' in browser.get(reverse("admin:index")).content.decode()
        form = browser.get(link).context["adminform"].form
        assert [box.data["value"] for box in form["scopes"] if box.data["selected"]] == ["ingest"]

    def test_are_none_for_those_who_only_look(self, log_in: LogIn, account: Account) -> None:
        viewer = log_in(account=account, role=Role.VIEWER)
        assert self.steps(viewer) == {}
        page = viewer.get(reverse("admin:index")).content.decode()
        assert "No call yet" in page
        assert reverse("admin:accounts_apikey_add") not in page


def test_the_last_failures_need_no_secret(log_in: LogIn, account: Account) -> None:
    delivery = DeliveryFactory(account=account, state=DeliveryState.FAILED)
    lose_key(delivery.webhook)
    page = log_in(account=account).get(reverse("admin:index"))
    assert [row.pk for row in page.context["failures"]] == [delivery.pk]


class TestTheFigures:
    def test_lead_to_lists_of_as_many_rows(self, log_in: LogIn, account: Account) -> None:
        webhook = WebhookFactory(account=account)
        recent, older = DeliveryFactory.create_batch(
            2, account=account, webhook=webhook, state=DeliveryState.FAILED
        )
        two_days_ago = timezone.now() - dt.timedelta(days=2)
        Delivery.objects.filter(pk=older.pk).update(created_at=two_days_ago)
        browser = log_in(account=account)

        listed = browser.get(figures_of(browser)["Failed"][0]).context["cl"].result_list

        assert [row.pk for row in listed] == [recent.pk]

    def test_count_what_those_lists_show(self, log_in: LogIn, account: Account) -> None:
        webhook = WebhookFactory(account=account)
        for count, state in enumerate(DeliveryState, 1):
            DeliveryFactory.create_batch(count, account=account, webhook=webhook, state=state)
        browser = log_in(account=account)
        figures = figures_of(browser)

        listed = {
            name: len(browser.get(address).context["cl"].result_list)
            for name, (address, _) in figures.items()
        }

        assert listed == {name: count for name, (_, count) in figures.items()}
        of_state = dict(zip(DeliveryState, range(1, len(DeliveryState) + 1), strict=True))
        assert listed["Under way"] == sum(of_state[state] for state in DeliveryState.unfinished())

    def test_promise_no_success_that_was_not_quite_one(
        self, log_in: LogIn, account: Account
    ) -> None:
        webhook = WebhookFactory(account=account)
        rows: dict[str, object] = {"account": account, "webhook": webhook}
        DeliveryFactory.create_batch(200, **rows, state=DeliveryState.SUCCEEDED)
        DeliveryFactory(**rows, state=DeliveryState.FAILED)

        browser = log_in(account=account)
        for page in (
            reverse("admin:index"),
            reverse("admin:webhooks_webhook_health", args=[webhook.pk]),
            reverse("admin:accounts_location_webhooks", args=[webhook.location_id]),
        ):
            text = browser.get(page).content.decode()
            assert ">99%" in text
            assert "100%" not in text
