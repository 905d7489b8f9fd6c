"""The home page: what happened in the last 24 hours, and the lists behind each figure."""

import datetime as dt
import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Account
from apps.delivery.models import Delivery, DeliveryState
from tests.conftest import LogIn
from tests.factories import AccountFactory, DeliveryFactory, WebhookFactory

pytestmark = pytest.mark.django_db

_FIGURE = re.compile(r'<a class="hl-card hl-figure" href="([^"]+)"><span>([^<]+)</span>')


@pytest.fixture
def account() -> Account:
    return AccountFactory()


def lists_behind(browser: Client) -> dict[str, str]:
    """Return where each figure leads, by its name."""
    page = browser.get(reverse("admin:index")).content.decode()
    return {name: unescape(address) for address, name in _FIGURE.findall(page)}


class TestTheFigures:
    def test_lead_to_lists_of_as_many_rows(self, log_in: LogIn, account: Account) -> None:
        webhook = WebhookFactory(account=account)
        recent, older = DeliveryFactory.create_batch(
            2, account=account, webhook=webhook, state=DeliveryState.FAILED
        )
        two_days_ago = timezone.now() - dt.timedelta(days=2)
        Delivery.objects.filter(pk=older.pk).update(created_at=two_days_ago)
        browser = log_in(account=account)

        listed = browser.get(lists_behind(browser)["Failed"]).context["cl"].result_list

        assert [row.pk for row in listed] == [recent.pk]

    def test_promise_no_success_that_was_not_quite_one(
        self, log_in: LogIn, account: Account
    ) -> None:
        webhook = WebhookFactory(account=account)
        rows: dict[str, object] = {"account": account, "webhook": webhook}
        DeliveryFactory.create_batch(200, **rows, state=DeliveryState.SUCCEEDED)
        DeliveryFactory(**rows, state=DeliveryState.FAILED)

        page = log_in(account=account).get(reverse("admin:index"))

        assert page.context["success_rate"] == 99
