"""Transcripts of recorded questions: one GET each, through the engine, as any webhook is sent."""

import uuid
from collections.abc import Sequence, Set
from typing import Any, Final

from apps.accounts.models import User
from apps.calls.events import EventType, Timing
from apps.calls.services import RecordedEvent
from apps.campaigns.matching import Match
from apps.campaigns.models import Attachment
from apps.ivr.models import Ivr
from apps.ivr.requests import TRANSCRIPTION, mapping_of, sample_of
from apps.webhooks.models import Template, TemplateFormat, Webhook
from apps.webhooks.services import create_webhook, save_template

_TEMPLATE: Final = "IVR transcription post back"
# An account, and the number of an IVR as text.
_Key = tuple[uuid.UUID, str]


def set_transcription_url(*, ivr: Ivr, url: str, by: User | None) -> None:
    """Have the transcripts of an IVR sent to a URL; none are with an empty one.

    Each URL is a webhook of its own: what was sent to the one before stays in the log, and what is
    on its way still arrives there. Raises ValidationError for a URL that webhooks may not have.
    """
    before = ivr.transcription_webhook
    if url == (before.url if before else ""):
        return
    webhook = None
    if url:
        webhook = create_webhook(
            webhook=Webhook(
                account_id=ivr.account_id,
                name=f"Transcripts of IVR {ivr.number}",
                url=url,
                method=Webhook.Method.GET,
                template=_template_of(ivr, by),
            ),
            headers=[],
        )
    ivr.transcription_webhook = webhook
    ivr.save(update_fields=["transcription_webhook"])


def transcripts_in(recorded: Sequence[RecordedEvent]) -> list[Match]:
    """Return what is to be sent for the transcripts among these events. One query, if there are."""
    said = [
        (each, (each.call.account_id, str(ivr["id"])))
        for each in recorded
        if (ivr := _transcript_of(each)) is not None
    ]
    webhooks = _webhooks_of({key for _, key in said}) if said else {}
    return [
        Match(
            recorded=each,
            timing=Timing.UPDATED,
            attachment=Attachment(
                account_id=each.call.account_id, webhook=webhooks[key], timing=Timing.UPDATED
            ),
        )
        for each, key in said
        if key in webhooks
    ]


def _transcript_of(recorded: RecordedEvent) -> dict[str, Any] | None:
    """Return what an event says of a recorded question that was transcribed, if it does."""
    event = recorded.event
    if recorded.is_duplicate or event.type != EventType.TRANSCRIPT_READY:
        return None
    ivr: dict[str, Any] | None = event.facts.get("ivr")
    return ivr


def _webhooks_of(keys: Set[_Key]) -> dict[_Key, Webhook]:
    found = (
        Ivr.objects.filter(
            account_id__in={account_id for account_id, _ in keys},
            number__in={int(number) for _, number in keys},
            transcription_webhook__isnull=False,
        )
        .select_related("transcription_webhook__template")
        # One webhook's credentials that can not be read must not stop the intake of events.
        .defer("transcription_webhook__secret")
    )
    return {
        (ivr.account_id, str(ivr.number)): ivr.transcription_webhook
        for ivr in found
        if ivr.transcription_webhook is not None
    }


def _template_of(ivr: Ivr, by: User | None) -> Template:
    """Return the template of the account's transcripts, made where it is missing."""
    template = Template.objects.filter(
        account_id=ivr.account_id, name=_TEMPLATE
    ).first() or Template(account_id=ivr.account_id, name=_TEMPLATE, format=TemplateFormat.QUERY)
    save_template(
        template=template,
        sample=sample_of(TRANSCRIPTION),
        mapping=mapping_of(TRANSCRIPTION),
        by=by,
    )
    return template
