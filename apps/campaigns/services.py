"""Making what belongs together: a treatment with its options, a webhook with its attachments."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from apps.accounts.models import User
from apps.campaigns.models import Attachment, Treatment, TreatmentOption
from apps.common.faults import faults_at
from apps.webhooks.mapping import Mapping
from apps.webhooks.models import Template, Webhook
from apps.webhooks.services import create_webhook, save_template


@dataclass(frozen=True, slots=True)
class NewTemplate:
    """A template that is not stored yet; without a mapping its %tokens% say what goes where."""

    template: Template
    sample: str
    mapping: Mapping | None = None


@transaction.atomic
def create_treatment(*, treatment: Treatment, options: Sequence[TreatmentOption]) -> Treatment:
    """Save a treatment with its options.

    Raises ValidationError, and saves nothing, for what does not fit; a fault of the third option is
    told as `options/2/key`.
    """
    treatment.full_clean()
    treatment.save()
    for index, option in enumerate(options):
        option.account_id, option.treatment = treatment.account_id, treatment
        with faults_at(f"options/{index}"):
            option.full_clean()
            option.save()
    return treatment


@transaction.atomic
def set_up_webhook(
    *,
    webhook: Webhook,
    headers: Sequence[tuple[str, str]],
    attachments: Sequence[Attachment],
    template: NewTemplate | None = None,
    by: User | None = None,
) -> Webhook:
    """Save a webhook with its headers and attachments, and with its template if that is new.

    Raises ValidationError, and saves nothing, for what does not fit; a fault of the template is
    told as `template/sample`, one of the third attachment as `attachments/2/timing`.
    """
    if template is not None:
        with faults_at("template"):
            save_template(
                template=template.template,
                sample=template.sample,
                by=by,
                mapping=template.mapping,
            )
        webhook.template = template.template
    create_webhook(webhook=webhook, headers=headers)
    for index, attachment in enumerate(attachments):
        attachment.account_id, attachment.webhook = webhook.account_id, webhook
        with faults_at(f"attachments/{index}"):
            attachment.full_clean()
            attachment.save()
    return webhook
