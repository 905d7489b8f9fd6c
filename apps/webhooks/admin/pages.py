"""What the pages of all webhooks have in common, whichever screen they are made on."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html

from apps.common.admin import AccountScopedAdmin, labelled
from apps.webhooks.models import Webhook


class WebhookPages(AccountScopedAdmin):
    """A list that says where webhooks go, and rows that stay once they have sent something."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keep a webhook that has sent something; it can be switched off."""
        if obj is not None and obj.deliveries.exists():
            return False
        return super().has_delete_permission(request, obj)

    @admin.display(description="URL", ordering="url")
    def shown_url(self, webhook: Webhook) -> str:
        """Return the address, cut by the style sheet."""
        return format_html('<span class="hl-url" title="{0}">{0}</span>', webhook.url)

    @labelled("state", ordering="is_active", labels={"active": "success", "off": "warning"})
    def state(self, webhook: Webhook) -> str:
        """Return whether it sends."""
        return "active" if webhook.is_active else "off"
