"""Backtest: what a webhook would have told of calls that were, and why not of others.

Nothing is sent, and nothing is stored.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from apps.calls.events import BEGINNINGS, UPDATES, EventType, Timing
from apps.calls.models import Call, CallEvent
from apps.calls.services import RecordedEvent
from apps.campaigns.matching import matches_of, place_off
from apps.campaigns.models import Attachment
from apps.webhooks.rendering import CompiledTemplate
from apps.webhooks.wizard.preview import readable

MOST_CALLS = 50
_SHOWN_CHARACTERS = 20_000
_NOT_YET = {
    Timing.BEGIN: "Its begin was never reported.",
    Timing.END: "It has not ended.",
    Timing.UPDATED: "It was never updated.",
}


@dataclass(frozen=True, slots=True)
class Sending:
    """A payload that would have been sent, and for which event."""

    timing: Timing
    event: CallEvent
    payload: str


@dataclass(frozen=True, slots=True)
class Tested:
    """A call, with what would have been sent for it; without any, `why_not` says why."""

    call: Call
    sendings: Sequence[Sending]
    why_not: str


def backtest(
    *,
    calls: QuerySet[Call],
    attachments: Sequence[Attachment],
    template: CompiledTemplate,
    own_templates: Mapping[UUID, CompiledTemplate] | None = None,
    limit: int = 20,
) -> list[Tested]:
    """Go through the newest calls as if these attachments of one webhook had been there.

    The attachments need not be stored; `own_templates` are those that some of them send in place of
    `template`. What is switched off now would have sent nothing, as in
    `match_events`. Two queries, if the attachments come with their places.
    """
    newest = list(
        calls.select_related("location").order_by("-created_at")[: min(limit, MOST_CALLS)]
    )
    history: dict[UUID, list[CallEvent]] = defaultdict(list)
    for event in CallEvent.objects.filter(call__in=newest).order_by("pk"):
        history[event.call_id].append(event)
    own = own_templates or {}
    return [_tested(call, history[call.pk], attachments, template, own) for call in newest]


def _tested(
    call: Call,
    events: Sequence[CallEvent],
    attachments: Sequence[Attachment],
    template: CompiledTemplate,
    own_templates: Mapping[UUID, CompiledTemplate],
) -> Tested:
    active = [each for each in attachments if each.is_active and place_off(each) is None]
    recorded = list(recorded_again(call, events)) if call.location.is_active else []
    matches = matches_of(recorded, active)
    sendings = []
    for match in matches:
        event, own = match.recorded.event, match.attachment.own_template_id
        sent = template if own is None else own_templates[own]
        payload = readable(sent.render(event.snapshot), sent.format)[:_SHOWN_CHARACTERS]
        sendings.append(Sending(match.timing, event, payload))
    reasons = dict.fromkeys(_why_not(call, attachment) for attachment in attachments)
    why_not = " ".join(reasons) if attachments else "The webhook is attached nowhere."
    return Tested(call, sendings, "" if sendings else why_not)


def recorded_again(call: Call, events: Sequence[CallEvent]) -> Iterator[RecordedEvent]:
    """Yield the events of a call, in the order they came in, with the moments they were.

    What was reached is told apart by how many options the snapshots have; a treatment counts as
    reached with the first event that names one.
    """
    is_begun = is_ended = False
    options, treatments = list(call.option_keys), list(call.treatment_keys)
    seen = 0
    for event in events:
        kind = EventType(event.type)
        is_begin = kind in BEGINNINGS and not is_begun
        is_end = kind is EventType.ENDED and not is_ended
        is_begun |= is_begin
        is_ended |= is_end
        has_more = len(event.snapshot.get("options") or ()) > seen
        seen = max(seen, len(event.snapshot.get("options") or ()))
        treatment = treatments.pop(0) if treatments and event.snapshot.get("treatment") else None
        yield RecordedEvent(
            event=event,
            call=call,
            is_begin=is_begin,
            is_end=is_end,
            is_update=kind in UPDATES,
            new_treatment_key=treatment,
            new_option_key=options.pop(0) if has_more and options else None,
        )


def _why_not(call: Call, attachment: Attachment) -> str:
    """Why an attachment that matched nothing of a call did not."""
    if not call.location.is_active:
        return f"{call.location} is switched off."
    if not attachment.is_active:
        return "It is switched off where it is attached."
    if (place := place_off(attachment)) is not None:
        return f"The {place._meta.verbose_name} {place} is switched off."
    location_id = attachment.webhook.location_id or attachment.location_id
    if location_id is not None and location_id != call.location_id:
        return f"It was at {call.location}."
    if attachment.campaign_id and attachment.campaign_id != call.campaign_key:
        return f"It did not come from the campaign {attachment.campaign}."
    if attachment.treatment_id and attachment.treatment_id not in call.treatment_keys:
        return f"It did not go through {attachment.treatment}."
    if attachment.option_id and attachment.option_id not in call.option_keys:
        return f"The caller did not choose {attachment.option}."
    return _NOT_YET[Timing(attachment.timing)]
