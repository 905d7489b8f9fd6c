"""The tab of a webhook that sends a test."""

from typing import Any

from apps.common.access import Access, Role
from apps.common.admin import Panel
from apps.webhooks.admin import WebhookAdmin
from apps.webhooks.models import Webhook
from apps.webhooks.wizard.preview import sources_of


class TestPanel(Panel):
    """A call to pick, and a button; `apps.delivery.views.webhook_test` sends."""

    slug = "test"
    title = "Test"
    template_name = "admin/webhooks/webhook/test.html"
    view_role = Role.MEMBER

    def context(self, row: Webhook, access: Access) -> dict[str, Any]:
        """Return the calls that it can be sent for."""
        return {"sources": sources_of(row)}


WebhookAdmin.panels = (*WebhookAdmin.panels, TestPanel)
