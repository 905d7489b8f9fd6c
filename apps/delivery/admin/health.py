"""How endpoints have been doing, shown where their webhooks are."""

from typing import Any

from django.contrib import admin

from apps.common.access import Access
from apps.common.admin import Panel
from apps.common.admin.dependent import DependentAdmin
from apps.delivery.models import Alert, Delivery, DeliveryState, EndpointHealth
from apps.webhooks.admin import WebhookAdmin
from apps.webhooks.models import Webhook


class HealthPanel(Panel):
    """How a webhook's endpoint has been doing."""

    slug = "health"
    title = "Health"
    template_name = "admin/webhooks/webhook/health.html"

    def context(self, row: Webhook, access: Access) -> dict[str, Any]:
        """Return its health, in words too, and how much waits for it."""
        health = EndpointHealth.objects.get(webhook=row)
        backlog = Delivery.objects.filter(webhook=row, state__in=DeliveryState.unfinished())
        return {
            "health": health,
            "summary": _summary(row, health),
            "backlog": backlog.count(),
            "alerts": row.alerts.all()[:10],
        }


WebhookAdmin.panels = (*WebhookAdmin.panels, HealthPanel)


def _summary(webhook: Webhook, health: EndpointHealth) -> str:
    if not webhook.is_active:
        return f"Off. {webhook.disabled_reason}".strip()
    if health.probe_at:
        return "Left alone, as most tries failed; a probe will tell when it is back."
    if health.failing_since:
        return "Its last try failed."
    return "Well." if health.last_success_at else "Nothing was sent yet."


@admin.register(EndpointHealth)
class EndpointHealthAdmin(DependentAdmin):
    """Health is shown on the page of its webhook; there is nothing to start from here."""

    list_display = ["webhook", "failing_since", "last_success_at", "last_failure_at", "probe_at"]
    list_select_related = ["webhook"]
    fieldsets = [
        (None, {"fields": ["webhook", "failing_since", "last_success_at", "last_failure_at"]})
    ]


@admin.register(Alert)
class AlertAdmin(DependentAdmin):
    """Alerts are shown on the page of their webhook."""

    list_display = ["webhook", "rung", "failing_since", "sent_at"]
    list_select_related = ["webhook"]
    fieldsets = [(None, {"fields": ["webhook", "rung", "failing_since", "sent_at"]})]
