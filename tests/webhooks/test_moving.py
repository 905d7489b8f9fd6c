"""Where a webhook with saved credentials may be pointed, and by whom."""

import pytest
from django.urls import reverse

from apps.common.access import Role
from tests.conftest import LogIn
from tests.factories import WebhookHeaderFactory
from tests.webhooks.test_admin import webhook_form

pytestmark = pytest.mark.django_db

ELSEWHERE = pytest.mark.parametrize(
    "url", ["https://93.184.216.35/leads", "http://93.184.216.34/leads"], ids=["host", "no TLS"]
)


class TestAWebhookWithSavedCredentials:
    def url_after(self, log_in: LogIn, role: Role, url: str) -> str:
        header = WebhookHeaderFactory(webhook__url="https://93.184.216.34/leads")
        webhook = header.webhook
        form = webhook_form(webhook.template, url=url, location=str(webhook.location_id))
        form |= {
            "headers-TOTAL_FORMS": "1",
            "headers-INITIAL_FORMS": "1",
            "headers-0-id": str(header.pk),
            "headers-0-webhook": str(webhook.pk),
            "headers-0-name": header.name,
        }
        log_in(account=webhook.account, role=role).post(
            reverse("admin:webhooks_webhook_change", args=[webhook.pk]), form
        )
        webhook.refresh_from_db()
        return str(webhook.url)

    @ELSEWHERE
    def test_is_not_moved_by_members(self, log_in: LogIn, url: str) -> None:
        assert self.url_after(log_in, Role.MEMBER, url) == "https://93.184.216.34/leads"

    @ELSEWHERE
    def test_is_moved_by_admins(self, log_in: LogIn, url: str) -> None:
        assert self.url_after(log_in, Role.ADMIN, url) == url

    def test_gets_another_path_from_members(self, log_in: LogIn) -> None:
        url = "https://93.184.216.34/others"
        assert self.url_after(log_in, Role.MEMBER, url) == url
