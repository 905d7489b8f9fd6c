"""Applying a webhook or template from the list of locations."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Location
from apps.common.access import Role
from apps.webhooks.models import Webhook
from tests.conftest import LogIn
from tests.factories import LocationFactory, TemplateFactory, WebhookFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def webhook() -> Webhook:
    made = WebhookFactory(location__name="First")
    return Webhook.objects.get(pk=made.pk)


@pytest.fixture
def place(webhook: Webhook) -> Location:
    return LocationFactory(account=webhook.account, name="Second")


def apply(browser: Client, action: str, *places: Location, **form: Any) -> str:
    answer = browser.post(
        reverse("admin:accounts_location_changelist"),
        {"action": action, "_selected_action": [one.pk for one in places], **form},
        follow=True,
    )
    assert answer.status_code == 200
    return answer.content.decode()


class TestApplyingAWebhook:
    action = "apply_webhook_to_selected"

    def test_asks_which_and_tells_the_result_of_each(
        self, log_in: LogIn, webhook: Webhook, place: Location
    ) -> None:
        browser = log_in(account=webhook.account, role=Role.MEMBER)
        asked = apply(browser, self.action, place, webhook.location)
        assert "Apply to 2 locations" in asked
        assert str(webhook.pk) in asked
        form = {"apply": "1", "webhook": str(webhook.pk)}
        told = apply(browser, self.action, place, webhook.location, **form)
        assert "1 created" in told
        assert "1 attached" in told
        assert place.webhooks.get().url == webhook.url
        assert "2 unchanged" in apply(browser, self.action, place, webhook.location, **form)

    def test_offers_and_takes_nothing_of_others(
        self, log_in: LogIn, webhook: Webhook, place: Location
    ) -> None:
        theirs = WebhookFactory(name="Theirs")
        browser = log_in(account=webhook.account)
        assert "Theirs" not in apply(browser, self.action, place)
        told = apply(browser, self.action, place, apply="1", webhook=str(theirs.pk))
        assert "not one of the available choices" in told
        apply(browser, self.action, theirs.location, apply="1", webhook=str(webhook.pk))
        assert theirs.location.webhooks.count() == 1
        assert not place.webhooks.exists()

    def test_is_not_for_viewers(self, log_in: LogIn, webhook: Webhook, place: Location) -> None:
        browser = log_in(account=webhook.account, role=Role.VIEWER)
        apply(browser, self.action, place, apply="1", webhook=str(webhook.pk))
        assert not place.webhooks.exists()


class TestApplyingATemplate:
    def test_tells_the_result_of_each(
        self, log_in: LogIn, webhook: Webhook, place: Location
    ) -> None:
        template = TemplateFactory(account=webhook.account)
        told = apply(
            log_in(account=webhook.account),
            "apply_template_to_selected",
            place,
            webhook.location,
            apply="1",
            template=str(template.pk),
        )
        assert "1 changed" in told
        assert "1 refused" in told
        webhook.refresh_from_db()
        assert webhook.template == template
