"""The home page: what happened today, and what needs a look."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from apps.accounts.models import Location
from apps.calls.models import Call
from apps.campaigns.models import Attachment
from apps.common.access import Access, Role
from apps.common.admin import access_of
from apps.common.admin.columns import documents_of
from apps.console.figures import days_ago, lists_since
from apps.console.totals import By, summed, totals_by
from apps.delivery.models import Delivery, DeliveryState
from apps.webhooks.models import Webhook

_SHOWN_FAILURES = 8
_SHOWN_CALLS = 8


def home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the figures of the last 24 hours, the last failures, and the first steps if any lack."""
    access = access_of(request)
    account_ids = access.active_ids
    since = days_ago(1)
    along = ["webhook", "call__location", "account"]
    deliveries = Delivery.objects.filter(account_id__in=account_ids)
    calls = Call.objects.filter(account_id__in=account_ids).defer(*documents_of(Call))
    return {
        **context,
        "title": "Home",
        "totals": summed(totals_by(By.ACCOUNT, account_ids=account_ids, since=since).values()),
        "lists": lists_since(since),
        "failures": deliveries.filter(state__in=DeliveryState.unsuccessful())
        .select_related(*along)
        .defer(*documents_of(Delivery, along))
        .order_by("-created_at")[:_SHOWN_FAILURES],
        "calls": calls.select_related("location", "account").order_by("-created_at")[:_SHOWN_CALLS],
        "steps": _first_steps(access),
        "may_see_keys": access.has_role(Role.ADMIN),
    }


def _first_steps(access: Access) -> list[dict[str, Any]]:
    """Return what a new account does first, and whether it is done; nothing once all is.

    Each leads back here. Those who only look have nothing to do.
    """
    if not access.has_role(Role.MEMBER):
        return []
    of_accounts = {"account_id__in": access.active_ids}
    webhooks = list(Webhook.objects.filter(**of_accounts).values_list("pk", flat=True)[:2])
    only = {"webhook": webhooks[0]} if len(webhooks) == 1 else {}
    steps = [
        {
            "title": "Add a location",
            "text": "The place that receives calls.",
            "link": _back_here("admin:accounts_location_add"),
            "is_done": Location.objects.filter(**of_accounts).exists(),
        },
        {
            "title": "Create a webhook",
            "text": "Where it is sent, and a sample of what your CRM expects.",
            "link": _back_here("wizard"),
            "is_done": bool(webhooks),
        },
        {
            "title": "Attach it",
            "text": "To a campaign, an option of a call treatment, a location, or every call.",
            "link": _back_here("admin:campaigns_attachment_add", **only),
            "is_done": Attachment.objects.filter(**of_accounts).exists(),
        },
        {
            "title": "Let calls come in",
            "text": "From Twilio or another phone platform; or a program posts them with an API"
            " key.",
            "link": reverse("admin:intake_source_changelist"),
            "is_done": Call.objects.filter(**of_accounts).exists(),
        },
    ]
    return [] if all(step["is_done"] for step in steps) else steps


def _back_here(page: str, **given: Any) -> str:
    return f"{reverse(page)}?{urlencode({**given, 'next': reverse('admin:index')})}"
