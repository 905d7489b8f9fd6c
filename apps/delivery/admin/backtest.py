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
from apps.webhooks.models import Template, Webhook
from apps.webhooks.rendering import CompiledTemplate, compile_template


class BacktestPanel(Panel):
    """The newest calls of the account, as the webhook would have told of them."""

    slug = "backtest"
    title = "Backtest"
    template_name = "admin/webhooks/webhook/backtest.html"

    def context(self, row: Webhook, access: Access) -> dict[str, Any]:
        """Return each call with what would have been sent, or why not."""
        places = "campaign", "treatment", "option__treatment", "location"
        attachments = Attachment.objects.filter(webhook=row).select_related(
            "webhook", "own_template__current_version", *places
        )
        own = {each.own_template for each in attachments if each.own_template}
        tested = backtest(
            calls=Call.objects.filter(account_id=row.account_id),
            attachments=list(attachments),
            template=_compiled(row.template),
            own_templates={template.pk: _compiled(template) for template in own},
        )
        return {"tested": tested, "webhook": row}


def _compiled(template: Template) -> CompiledTemplate:
    version = template.current_version
    assert version is not None  # noqa: S101 - what a webhook sends has one
    return compile_template(
        format=Format(template.format),
        sample=version.sample,
        mapping=from_plain(version.mapping),
    )


WebhookAdmin.panels = (*WebhookAdmin.panels, BacktestPanel)
