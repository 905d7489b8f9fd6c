"""What deliveries add to the pages of locations and calls."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import Count, Prefetch, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from apps.accounts.admin import LocationAdmin
from apps.accounts.models import Location
from apps.calls.models import Call
from apps.calls.timeline import Moment
from apps.campaigns.models import Attachment
from apps.common.access import Access
from apps.common.admin import Panel, tone_of
from apps.common.masking import shown_url
from apps.delivery.admin.deliveries import DeliveryAdmin
from apps.delivery.figures import whole_percent
from apps.delivery.models import Delivery, DeliveryState
from apps.webhooks.models import Webhook

_RECENT = dt.timedelta(hours=24)
_AFTER_EVENTS = 1


@dataclass(frozen=True, slots=True)
class Use:
    """Something else than an attachment that has a webhook sent, and the page where that is set."""

    webhook_id: uuid.UUID
    title: str
    detail: str
    link: str


class WebhooksPanel(Panel):
    """All webhooks of the location, and those of its whole account.

    Rooms above add to `uses` what has webhooks of an account sent.
    """

    uses: ClassVar[Sequence[Callable[[uuid.UUID], Iterable[Use]]]] = ()
    slug = "webhooks"
    title = "Webhook Management"
    template_name = "admin/accounts/location/webhooks.html"

    def context(self, row: Location, access: Access) -> dict[str, Any]:
        """Return the webhooks, where they are attached, and how the last 24 hours went."""
        webhooks: list[Any] = list(_webhooks_at(row))
        counts = _recent_counts(webhooks)
        uses = defaultdict(list)
        for use in (use for source in self.uses for use in source(row.account_id)):
            uses[use.webhook_id].append(use)
        for webhook in webhooks:
            webhook.shown_url = shown_url(webhook.url, webhook.account_id, access)
            webhook.uses = uses[webhook.pk]
            here = sum(attachment.is_active for attachment in webhook.places)
            webhook.elsewhere_total = webhook.attached_total - here
            sent, succeeded, finished = counts.get(webhook.pk, (0, 0, 0))
            webhook.sent_total = sent
            webhook.success_rate = whole_percent(succeeded, finished)
        return {"webhooks": webhooks}


LocationAdmin.panels = (WebhooksPanel, *LocationAdmin.panels)


def deliveries_of(call: Call) -> Iterable[Moment]:
    """Tell of each delivery of a call, at the moment it was planned."""
    deliveries = Delivery.objects.filter(call=call).select_related("webhook")
    deliveries = deliveries.defer("webhook__secret").order_by("created_at")
    for delivery in deliveries:
        tries = f"{delivery.attempt_count} tries" if delivery.attempt_count != 1 else "1 try"
        if delivery.is_held or delivery.state == DeliveryState.SKIPPED:
            tries = ""
        answer = delivery.last_status or delivery.last_error or delivery.remark
        again = "sent again" if delivery.resent_from_id else delivery.timing
        yield Moment(
            at=delivery.created_at,
            title=f"{delivery.webhook} ({again})",
            detail=" · ".join(str(part) for part in (delivery.shown_state, tries, answer) if part),
            tone=tone_of(DeliveryAdmin.shown_state, delivery.shown_state),
            link=reverse("admin:delivery_delivery_change", args=[delivery.pk]),
            rank=_AFTER_EVENTS,
        )


def _webhooks_at(location: Location) -> QuerySet[Webhook]:
    here = (
        Q(location=location)
        | Q(campaign__location=location)
        | Q(treatment__location=location)
        | Q(option__treatment__location=location)
    )
    everywhere = Q(campaign=None, treatment=None, option=None, location=None)
    places = Attachment.objects.filter(here | everywhere).select_related(
        "campaign", "treatment", "option", "location"
    )
    return (
        Webhook.objects.filter(account_id=location.account_id)
        .filter(Q(location=location) | Q(location=None))
        .select_related("template")
        .defer("secret")
        .prefetch_related(Prefetch("attachments", places, to_attr="places"))
        .annotate(attached_total=Count("attachments", filter=Q(attachments__is_active=True)))
        .order_by("name")
    )


def _recent_counts(webhooks: list[Webhook]) -> dict[Any, tuple[int, int, int]]:
    succeeded = Count("pk", filter=Q(state=DeliveryState.SUCCEEDED))
    finished = Count("pk", filter=~Q(state__in=DeliveryState.unfinished()))
    rows = (
        Delivery.objects.filter(webhook__in=webhooks, created_at__gte=timezone.now() - _RECENT)
        .exclude(state=DeliveryState.SKIPPED)
        .order_by()
        .values("webhook")
        .annotate(sent=Count("pk"), succeeded=succeeded, finished=finished)
    )
    return {row["webhook"]: (row["sent"], row["succeeded"], row["finished"]) for row in rows}
