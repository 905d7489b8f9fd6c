"""Pages with attachments ask the database the same, however many there are."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.calls.events import Timing
from tests.builders import World, attach, make_webhook
from tests.conftest import LogIn

pytestmark = pytest.mark.django_db


def count(browser: Client, link: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert browser.get(link).status_code == 200
    return len(asked)


class TestAPageWithAttachments:
    @pytest.mark.parametrize(
        ("page", "place", "target"),
        [
            ("campaigns_campaign_change", "campaign", "campaign"),
            ("campaigns_treatment_change", "menu", "treatment"),
            ("campaigns_treatment_change", "menu", "option"),
            ("campaigns_treatmentoption_change", "sales", "option"),
            ("accounts_location_campaigns", "location", "campaign"),
            ("accounts_location_treatments", "location", "option"),
            ("accounts_location_webhooks", "location", "campaign"),
        ],
    )
    def test_asks_the_same_whatever_it_shows(
        self, world: World, log_in: LogIn, page: str, place: str, target: str
    ) -> None:
        names = {"treatment": "menu", "option": "sales"}
        where: dict[str, Any] = {target: getattr(world, names.get(target, target))}
        browser = log_in(account=world.account)
        link = reverse(f"admin:{page}", args=[getattr(world, place).pk])
        asked = []
        for number in range(6):
            webhook = make_webhook(world, "https://93.184.216.34/", name=f"Webhook {number}")
            attach(webhook, Timing.END, **where)
            asked.append(count(browser, link))
        assert asked[1] == asked[-1], asked
