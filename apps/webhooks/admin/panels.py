"""The Webhook Management tab of a location."""

from typing import Any

from apps.accounts.admin import LocationAdmin
from apps.accounts.models import Location
from apps.common.access import Access
from apps.common.admin import Panel
from apps.webhooks.models import Webhook


class WebhooksPanel(Panel):
    """All webhooks of the location, and those of its whole account."""

    slug = "webhooks"
    title = "Webhook Management"
    template_name = "admin/accounts/location/webhooks.html"

    def context(self, row: Location, access: Access) -> dict[str, Any]:
        """Return the webhooks."""
        return {"webhooks": Webhook.objects.filter(location=row).select_related("template")}


LocationAdmin.panels = (*LocationAdmin.panels, WebhooksPanel)
