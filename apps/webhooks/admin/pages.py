"""What the pages of all webhooks have in common, whichever screen they are made on."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html

from apps.common.access import Access
from apps.common.admin import AccountScopedAdmin, access_of, labelled
from apps.common.masking import masked_url, shown_url
from apps.webhooks.models import Webhook


class WebhookPages(AccountScopedAdmin):
    """A list that says where webhooks go, and rows that stay once they have sent something."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keep a webhook that has sent something; it can be switched off."""
        if obj is not None and obj.deliveries.exists():
            return False
        return super().has_delete_permission(request, obj)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Show each address as who looks may see it."""
        columns = super().get_list_display(request)
        return [_urls_for(access_of(request)) if each == "shown_url" else each for each in columns]

    @admin.display(description="URL")
    def shown_url(self, webhook: Webhook) -> str:
        """Return the address, for those who only look."""
        return masked_url(webhook.url)

    @labelled("state", ordering="is_active", labels={"active": "success", "off": "warning"})
    def state(self, webhook: Webhook) -> str:
        """Return whether it sends."""
        return "active" if webhook.is_active else "off"


def _urls_for(access: Access) -> Callable[[Webhook], str]:
    """Return the column of addresses, cut by the style sheet.

    Nobody sorts by them: what is masked could be guessed from the order.
    """

    @admin.display(description="URL")
    def column(webhook: Webhook) -> str:
        url = shown_url(webhook.url, webhook.account_id, access)
        return format_html('<span class="hl-url" title="{0}">{0}</span>', url)

    return column
