"""The tab of a webhook that says what it would have sent."""

from typing import Any

from apps.calls.models import Call
from apps.campaigns.backtest import backtest
from apps.campaigns.models import Attachment
from apps.common.access import Access
from apps.common.admin import Panel
from apps.webhooks.admin import WebhookAdmin
from apps.webhooks.formats import Format
from apps.webhooks.mapping import from_plain
from apps.webhooks.models import Webhook
from apps.webhooks.rendering import compile_template


class BacktestPanel(Panel):
    """The newest calls of the account, as the webhook would have told of them."""

    slug = "backtest"
    title = "Backtest"
    template_name = "admin/webhooks/webhook/backtest.html"

    def context(self, row: Webhook, access: Access) -> dict[str, Any]:
        """Return each call with what would have been sent, or why not."""
        version = row.template.current_version
        if version is None:
            return {"tested": []}
        template = compile_template(
            format=Format(row.template.format),
            sample=version.sample,
            mapping=from_plain(version.mapping),
        )
        attachments = Attachment.objects.filter(webhook=row).select_related(
            "webhook", "campaign", "treatment", "option__treatment", "location"
        )
        calls = Call.objects.filter(account_id=row.account_id)
        return {
            "tested": backtest(calls=calls, attachments=list(attachments), template=template),
            "webhook": row,
        }


WebhookAdmin.panels = (*WebhookAdmin.panels, BacktestPanel)
