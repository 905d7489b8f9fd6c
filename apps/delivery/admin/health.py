"""How endpoints have been doing, shown where their webhooks are."""

from typing import Any

from django.contrib import admin
from django.utils import timezone

from apps.common.access import Access
from apps.common.admin import Panel
from apps.common.admin.dependent import DependentAdmin
from apps.delivery.breaker import Position, in_window, position
from apps.delivery.figures import figures_of
from apps.delivery.models import Alert, EndpointHealth
from apps.webhooks.admin import WebhookAdmin
from apps.webhooks.models import Webhook

_POSITIONS = {
    Position.CLOSED: "closed: everything is sent",
    Position.OPEN: "open: nothing is sent until the next probe",
    Position.HALF_OPEN: "half-open: one delivery tells whether it is back",
}


class HealthPanel(Panel):
    """How a webhook's endpoint has been doing, in figures and in words."""

    slug = "health"
    title = "Health"
    template_name = "admin/webhooks/webhook/health.html"

    def context(self, row: Webhook, access: Access) -> dict[str, Any]:
        """Return its health, its figures, and what was told of it."""
        now = timezone.now()
        health = row.health
        tries, failures = in_window(health.slices, now)
        return {
            "now": now,
            "health": health,
            "summary": _summary(row, health),
            "breaker": _POSITIONS[position(health.probe_at, health.is_probing, now)],
            "window_tries": tries,
            "window_failures": failures,
            "figures": figures_of(row, now),
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
