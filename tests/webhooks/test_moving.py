"""Where a webhook with saved credentials may be pointed, and by whom."""

from typing import Any

import pytest
from django.urls import reverse

from apps.common.access import Role
from apps.webhooks.models import Webhook
from tests.conftest import LogIn
from tests.factories import WebhookHeaderFactory
from tests.webhooks.admin_forms import errors_of, header_forms, webhook_form

pytestmark = pytest.mark.django_db

SAVED = "https://93.184.216.34/leads"
ELSEWHERE = pytest.mark.parametrize(
    ("url", "where"),
    [
        ("https://93.184.216.35/leads", "to another host or port"),
        ("https://93.184.216.34:8443/leads", "to another host or port"),
        ("http://93.184.216.34/leads", "without TLS"),
    ],
    ids=["host", "port", "no TLS"],
)


class TestAWebhookWithSavedCredentials:
    def moved(
        self, log_in: LogIn, role: Role, url: str, before: str = SAVED
    ) -> tuple[Webhook, Any]:
        """Return the webhook after somebody moved it, and what they were answered."""
        header = WebhookHeaderFactory(webhook__url=before)
        webhook = header.webhook
        form = webhook_form(webhook.template, url=url, location=str(webhook.location_id))
        form |= header_forms(webhook, header.name, "")
        answer = log_in(account=webhook.account, role=role).post(
            reverse("admin:webhooks_webhook_change", args=[webhook.pk]), form
        )
        webhook.refresh_from_db()
        return webhook, answer

    @ELSEWHERE
    def test_is_not_moved_by_members(self, log_in: LogIn, url: str, where: str) -> None:
        webhook, page = self.moved(log_in, Role.MEMBER, url)
        assert webhook.url == SAVED
        assert f"Saved header values would go {where}; only an admin" in errors_of(page)

    @ELSEWHERE
    def test_is_moved_by_admins(self, log_in: LogIn, url: str, where: str) -> None:
        assert self.moved(log_in, Role.ADMIN, url)[0].url == url

    @pytest.mark.parametrize(
        ("before", "url"),
        [(SAVED, "https://93.184.216.34/others"), ("http://93.184.216.34/leads", SAVED)],
        ids=["path", "TLS"],
    )
    def test_gets_another_path_or_tls_from_members(
        self, log_in: LogIn, before: str, url: str
    ) -> None:
        assert self.moved(log_in, Role.MEMBER, url, before)[0].url == url
