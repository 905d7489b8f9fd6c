"""Backtest: what a webhook would have told of calls that were, and why not of others.

Nothing is sent, and nothing is stored.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import QuerySet

from apps.calls.events import BEGINNINGS, UPDATES, EventType, Timing
from apps.calls.models import Call, CallEvent
from apps.calls.services import RecordedEvent
from apps.calls.snapshots import size_of
from apps.campaigns.conditions import has_come
from apps.campaigns.conditions_in_words import NOTHING_CHANGED, did_not_come, turn_is_spent
from apps.campaigns.matching import Match, matches_of, place_off
from apps.campaigns.models import Attachment
from apps.webhooks.models import Webhook
from apps.webhooks.rendering import CompiledTemplate, changed_places
from apps.webhooks.tokens import Snapshot
from apps.webhooks.wizard.preview import readable

MOST_CALLS = 50
# Bytes of what was told of these calls that one page reads: some may have thousands of events.
MOST_BYTES = 16_000_000
_TOO_MUCH = "Too much was told of it, and of newer calls, to go through it here."
_SHOWN_CHARACTERS = 20_000
# An attachment, and the number of a caller.
_Turn = tuple[UUID, str]
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
    note: str = ""


@dataclass(frozen=True, slots=True)
class BacktestedCall:
    """A call, with what would have been sent for it; without any, `why_not` says why."""

    call: Call
    sendings: Sequence[Sending]
    why_not: str
    # Moments that were left out although others were sent: which, and why.
    skips: Sequence[str] = ()


def backtest_webhook(webhook: Webhook, *, limit: int = 20) -> list[BacktestedCall]:
    """Go through the newest calls of its account with a webhook as it is attached now."""
    places = "campaign", "treatment", "option__treatment", "location"
    attachments = Attachment.objects.filter(webhook=webhook).select_related(
        "webhook", "own_template__current_version", *places
    )
    own = {each.own_template for each in attachments if each.own_template}
    return backtest(
        calls=Call.objects.filter(account_id=webhook.account_id),
        attachments=list(attachments),
        template=webhook.template.compiled(),
        own_templates={template.pk: template.compiled() for template in own},
        limit=limit,
    )


def backtest(
    *,
    calls: QuerySet[Call],
    attachments: Sequence[Attachment],
    template: CompiledTemplate,
    own_templates: Mapping[UUID, CompiledTemplate] | None = None,
    limit: int = 20,
) -> list[BacktestedCall]:
    """Go through the newest calls as if these attachments of one webhook had been there.

    The attachments need not be stored; `own_templates` are those that some of them send in place of
    `template`. What is switched off now would have sent nothing, as in
    `match_events`. Two queries, if the attachments come with their places. Of what was told of the
    calls `MOST_BYTES` are read, the newest first.
    """
    newest = list(
        calls.select_related("location").order_by("-created_at")[: min(limit, MOST_CALLS)]
    )
    history = _history(newest)
    rehearsal = _Rehearsal(attachments, template, own_templates or {})
    # A caller's turn is taken by the first of the calls.
    return [
        rehearsal.tested(call, history[call.pk])
        if call.pk in history
        else BacktestedCall(call, (), _TOO_MUCH)
        for call in reversed(newest)
    ][::-1]


def _history(newest: Sequence[Call]) -> dict[UUID, list[CallEvent]]:
    """Return the events of these calls, without those calls for which there is no room left."""
    history: dict[UUID, list[CallEvent]] = {call.pk: [] for call in newest}
    room = MOST_BYTES
    events = CallEvent.objects.filter(call__in=newest).order_by("-call_id", "pk")
    for event in events.iterator(chunk_size=100):
        room -= size_of(event.facts) + size_of(event.snapshot)
        if room < 0:
            return {key: kept for key, kept in history.items() if key > event.call_id}
        history[event.call_id].append(event)
    return history


@dataclass(slots=True)
class _Rehearsal:
    """Goes through calls, oldest first; `turns` is when each caller was told of last."""

    attachments: Sequence[Attachment]
    template: CompiledTemplate
    own_templates: Mapping[UUID, CompiledTemplate]
    turns: dict[_Turn, dt.datetime] = field(default_factory=dict)

    def tested(self, call: Call, events: Sequence[CallEvent]) -> BacktestedCall:
        """Return what would have been sent for a call."""
        active = [each for each in self.attachments if each.is_active and place_off(each) is None]
        recorded = list(recorded_again(call, events)) if call.location.is_active else []
        told: Snapshot | None = None
        sendings: list[Sending] = []
        skips: dict[str, str] = {}
        for match in sorted(matches_of(recorded, active), key=_moment_of):
            sending, reason = self._sending(match, events, told)
            if sending is None:
                skips.setdefault(reason, f"{match.timing.label}: {reason}")
            else:
                told = match.recorded.event.snapshot
                sendings.append(sending)
        if sendings:
            return BacktestedCall(call, sendings, "", list(skips.values()))
        reasons = [*skips] or dict.fromkeys(_why_not(call, each) for each in self.attachments)
        return BacktestedCall(
            call, sendings, " ".join(reasons) or "The webhook is attached nowhere."
        )

    def _sending(
        self, match: Match, events: Sequence[CallEvent], told: Snapshot | None
    ) -> tuple[Sending | None, str]:
        """Return what a match would have sent, or why nothing."""
        attachment, event = match.attachment, match.recorded.event
        if reason := match.why_not or self._spent(attachment, event):
            return None, reason
        snapshot, note = event.snapshot, ""
        if attachment.wait_for and not has_come(attachment.wait_for, snapshot):
            note = did_not_come(attachment.wait_for, attachment.wait_min or 0)
            came = _came(attachment, event, events)
            if came is None and attachment.wait_skips:
                return None, note
            if came is not None:
                snapshot, note = came.snapshot, f"It waited for the {attachment.wait_for}."
        own = attachment.own_template_id
        template = self.template if own is None else self.own_templates[own]
        if attachment.only_changes and told is not None:
            changed = changed_places(template.mapping, told, snapshot)
            if not changed:
                return None, NOTHING_CHANGED
            template, note = template.only(changed), "Only what had changed."
        self.turns[_turn(attachment, event)] = event.occurred_at
        payload = readable(template.render(snapshot), template.format)[:_SHOWN_CHARACTERS]
        return Sending(match.timing, event, payload, note), ""

    def _spent(self, attachment: Attachment, event: CallEvent) -> str:
        """Return why the caller has no turn; only the calls that are gone through count."""
        hours, (_, caller) = attachment.once_per_caller_h, _turn(attachment, event)
        last = self.turns.get((attachment.pk, caller))
        if not hours or last is None or not caller.startswith("+"):
            return ""
        is_over = event.occurred_at - last >= dt.timedelta(hours=hours)
        return "" if is_over else turn_is_spent(hours)


def _turn(attachment: Attachment, event: CallEvent) -> _Turn:
    return (attachment.pk, str(event.snapshot.get("from") or ""))


def _moment_of(match: Match) -> tuple[object, ...]:
    return (match.recorded.event.occurred_at, match.recorded.event.sequence)


def _came(
    attachment: Attachment, event: CallEvent, events: Sequence[CallEvent]
) -> CallEvent | None:
    """Return the event that brought what was waited for in time, if one did."""
    until = event.created_at + dt.timedelta(minutes=attachment.wait_min or 0)
    for each in events:
        if each.created_at <= until and has_come(attachment.wait_for, each.facts):
            return each
    return None


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
