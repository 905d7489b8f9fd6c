"""Sending again, on somebody's word."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.utils import timezone

from apps.common.audit import record_each
from apps.common.models import AuditAction
from apps.delivery.models import Delivery, Replay
from apps.delivery.wake import wake
from apps.webhooks.models import TemplateVersion


@transaction.atomic
def resend(*, deliveries: Sequence[Delivery], with_current_version: bool = False) -> list[Delivery]:
    """Plan the same events to the same webhooks once more; return the new deliveries in order.

    Each is made with the template version it had, or with the current one of that template. It
    has an id of its own, so the receiver does not take it for a repeat. It never expires: somebody
    wants it now. One insert and one wake, however many; what is gone meanwhile is left out.
    """
    # Held, so that none is forgotten before the new one refers to it.
    held = {
        delivery.pk: delivery
        for delivery in Delivery.objects.filter(pk__in=[each.pk for each in deliveries])
        .order_by("pk")
        .select_for_update(no_key=True)
    }
    there = [held[each.pk] for each in deliveries if each.pk in held]
    versions = current_versions(there) if with_current_version else {}
    now = timezone.now()
    planned = Delivery.objects.bulk_create(
        again(each, version_id=versions.get(each.template_version_id), due_at=now) for each in there
    )
    if planned:
        record_each(action=AuditAction.RESENT, subjects=there)
        transaction.on_commit(wake)
    return planned


def again(
    delivery: Delivery,
    *,
    version_id: uuid.UUID | None,
    due_at: dt.datetime,
    replay: Replay | None = None,
) -> Delivery:
    """Return a delivery that sends this one once more, not stored yet.

    It is linked to the original, also where this one was sent again itself.
    """
    return Delivery(
        account_id=delivery.account_id,
        webhook_id=delivery.webhook_id,
        template_version_id=version_id or delivery.template_version_id,
        call_id=delivery.call_id,
        event_id=delivery.event_id,
        content_event_id=delivery.content_event_id,
        changed_paths=delivery.changed_paths,
        attachment_key=delivery.attachment_key,
        resent_from_id=delivery.resent_from_id or delivery.pk,
        replay=replay,
        timing=delivery.timing,
        next_attempt_at=due_at,
    )


def current_versions(deliveries: Sequence[Delivery]) -> Mapping[uuid.UUID, uuid.UUID | None]:
    """Return for each of their versions which one of the same template is current."""
    pinned = {each.template_version_id for each in deliveries}
    versions = TemplateVersion.objects.filter(pk__in=pinned)
    return dict(versions.values_list("pk", "template__current_version"))
