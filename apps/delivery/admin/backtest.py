"""The tab of a webhook that says what it would have sent."""

from typing import Any

from apps.campaigns.backtest import backtest_webhook
from apps.common.access import Access
from apps.common.admin import Panel
from apps.webhooks.admin import WebhookAdmin
from apps.webhooks.models import Webhook


class BacktestPanel(Panel):
    """The newest calls of the account, as the webhook would have told of them."""

    slug = "backtest"
    title = "Backtest"
    template_name = "admin/webhooks/webhook/backtest.html"

    def context(self, row: Webhook, access: Access) -> dict[str, Any]:
        """Return each call with what would have been sent, or why not."""
        return {"tested": backtest_webhook(row), "webhook": row}


WebhookAdmin.panels = (*WebhookAdmin.panels, BacktestPanel)
