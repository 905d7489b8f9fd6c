"""What the admin's pages of webhooks post, and what they answer."""

from typing import Any

from apps.webhooks.models import Template, Webhook


def webhook_form(template: Template, **changes: object) -> dict[str, Any]:
    return {
        "name": "Leads",
        "url": "https://93.184.216.34/leads",
        "template": str(template.pk),
        "method": "POST",
        "success_codes_usual": ["200", "204"],
        "success_codes_others": "",
        "timeout_s": "15",
        "is_active": "on",
        "headers-TOTAL_FORMS": "0",
        "headers-INITIAL_FORMS": "0",
        **changes,
    }


def header_forms(webhook: Webhook, name: str, value: str) -> dict[str, Any]:
    header = webhook.headers.get()
    return {
        "headers-TOTAL_FORMS": "1",
        "headers-INITIAL_FORMS": "1",
        "headers-0-id": str(header.pk),
        "headers-0-webhook": str(webhook.pk),
        "headers-0-name": name,
        "headers-0-value": value,
    }


def errors_of(page: Any) -> str:
    return str(page.context["errors"])
