"""The home page: what happened today, and what needs a look."""

from typing import Any

from django.http import HttpRequest

from apps.accounts.models import Location
from apps.calls.models import Call
from apps.campaigns.models import Attachment
from apps.common.admin import access_of
from apps.console.figures import days_ago, lists_since
from apps.console.totals import By, summed, totals_by
from apps.delivery.models import Delivery, DeliveryState
from apps.webhooks.models import Template, Webhook

_SHOWN_FAILURES = 8
_SHOWN_CALLS = 8


def home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the figures of the last 24 hours, the last failures, and the first steps if any lack."""
    account_ids = access_of(request).active_ids
    since = days_ago(1)
    deliveries = Delivery.objects.filter(account_id__in=account_ids)
    calls = Call.objects.filter(account_id__in=account_ids)
    return {
        **context,
        "title": "Home",
        "totals": summed(totals_by(By.ACCOUNT, account_ids=account_ids, since=since).values()),
        "lists": lists_since(since),
        "failures": deliveries.filter(state__in=DeliveryState.unsuccessful())
        .select_related("webhook", "call", "call__location", "account")
        .order_by("-created_at")[:_SHOWN_FAILURES],
        "calls": calls.select_related("location", "account").order_by("-created_at")[:_SHOWN_CALLS],
        "steps": _first_steps(account_ids),
    }


def _first_steps(account_ids: list[Any]) -> list[dict[str, Any]]:
    """Return what a new account does first, and whether it is done; nothing once all is."""
    steps = [
        {
            "title": "Add a location",
            "text": "The place that receives calls.",
            "link": "admin:accounts_location_add",
            "is_done": Location.objects.filter(account_id__in=account_ids).exists(),
        },
        {
            "title": "Create a template",
            "text": "Paste a sample of what your CRM expects.",
            "link": "admin:webhooks_template_add",
            "is_done": Template.objects.filter(account_id__in=account_ids).exists(),
        },
        {
            "title": "Create a webhook",
            "text": "Where it is sent.",
            "link": "wizard",
            "is_done": Webhook.objects.filter(account_id__in=account_ids).exists(),
        },
        {
            "title": "Attach it",
            "text": "To a campaign, an option of a call treatment, a location, or every call.",
            "link": "admin:campaigns_attachment_add",
            "is_done": Attachment.objects.filter(account_id__in=account_ids).exists(),
        },
    ]
    return [] if all(step["is_done"] for step in steps) else steps
