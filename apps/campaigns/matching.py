"""Which attachments an event matches."""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from apps.accounts.models import Location
from apps.calls.events import Timing
from apps.calls.services import RecordedEvent
from apps.campaigns.conditions import CallFacts, InvalidCondition, facts_of
from apps.campaigns.conditions_in_words import why_not
from apps.campaigns.models import TARGETS, Attachment
from apps.common.models import AccountOwned

# The places of a call that a moment belongs to, by target name; None stands for the account.
_Places = dict[str, set[uuid.UUID]]


@dataclass(frozen=True, slots=True)
class Match:
    """An attachment whose webhook tells of an event; or does not, and `why_not` says why."""

    recorded: RecordedEvent
    timing: Timing
    attachment: Attachment
    why_not: str = ""


def match_events(recorded: Sequence[RecordedEvent]) -> list[Match]:
    """Return what is to be sent for these events, one match a webhook and event. Two queries.

    What is switched off sends nothing: a location with all calls at it, a campaign, a treatment
    with its options.
    Where a webhook is attached to an event in several ways, the oldest attachment counts whose
    conditions hold; where none do, the oldest says why not.
    """
    locations = _locations_of(recorded)
    moments = [
        (event, timing, places)
        for event in recorded
        if locations[event.call.location_id].is_active
        for timing, places in _moments(event)
    ]
    hours = {key: location.business_hours for key, location in locations.items()}
    return _matched(moments, _candidates(moments), hours)


def matches_of(recorded: Sequence[RecordedEvent], attachments: Sequence[Attachment]) -> list[Match]:
    """Return what these attachments tell of these events, as `match_events` does.

    No query, if the calls come with their locations.
    """
    moments = [(event, timing, places) for event in recorded for timing, places in _moments(event)]
    hours = {event.call.location_id: event.call.location.business_hours for event in recorded}
    return _matched(moments, attachments, hours)


def place_off(attachment: Attachment) -> AccountOwned | None:
    """Return the campaign or treatment of an attachment if it is switched off."""
    option = attachment.option
    for place in (attachment.campaign, attachment.treatment, option.treatment if option else None):
        if place is not None and not place.is_active:
            return place
    return None


def _matched(
    moments: Iterable[tuple[RecordedEvent, Timing, _Places]],
    attachments: Sequence[Attachment],
    hours: Mapping[uuid.UUID, Mapping[str, Any]],
) -> list[Match]:
    matches: dict[tuple[uuid.UUID, uuid.UUID], Match] = {}
    for event, timing, places in moments:
        facts: CallFacts | None = None
        for attachment in attachments:
            key = (event.event.pk, attachment.webhook_id)
            known = matches.get(key)
            if known is not None and not known.why_not:
                continue
            if not _applies(attachment, event, timing, places):
                continue
            reason = ""
            if attachment.conditions:
                facts = facts or facts_of(
                    event.event.snapshot,
                    occurred_at=event.event.occurred_at,
                    hours=hours[event.call.location_id],
                )
                reason = _why_not(attachment, facts)
            if known is None or not reason:
                matches[key] = Match(event, timing, attachment, reason)
    return list(matches.values())


def _why_not(attachment: Attachment, facts: CallFacts) -> str:
    try:
        return why_not(attachment.condition, facts)
    except InvalidCondition:
        # Whatever a row holds, one attachment must not stop the intake of events.
        return "Its conditions can not be read."


def _moments(recorded: RecordedEvent) -> Iterator[tuple[Timing, _Places]]:
    """Yield the moments that an event is, each with the places it belongs to.

    The begin of an option or a treatment is its being reached; both end with the call.
    """
    call = recorded.call
    if recorded.is_duplicate:
        return
    whole: _Places = {"location": {call.location_id}}
    if call.campaign_key:
        whole["campaign"] = {call.campaign_key}
    if recorded.is_begin:
        yield Timing.BEGIN, {**whole, "account": {call.account_id}}
    reached: _Places = {}
    if recorded.new_treatment_key:
        reached["treatment"] = {recorded.new_treatment_key}
    if recorded.new_option_key:
        reached["option"] = {recorded.new_option_key}
    if reached:
        yield Timing.BEGIN, reached
    if recorded.is_end or recorded.is_update:
        everything = {
            **whole,
            "account": {call.account_id},
            "treatment": set(call.treatment_keys),
            "option": set(call.option_keys),
        }
        yield (Timing.END if recorded.is_end else Timing.UPDATED), everything


def _locations_of(recorded: Sequence[RecordedEvent]) -> dict[uuid.UUID, Location]:
    keys = {event.call.location_id for event in recorded}
    found = Location.objects.filter(pk__in=keys).only("is_active", "business_hours")
    return {location.pk: location for location in found.order_by()}


def _candidates(moments: Iterable[tuple[RecordedEvent, Timing, _Places]]) -> list[Attachment]:
    moments = list(moments)
    if not moments:
        return []
    places: _Places = {}
    for _, _, found in moments:
        for name, keys in found.items():
            places.setdefault(name, set()).update(keys)
    targets = Q(**{f"{name}__isnull": True for name in TARGETS})
    for name in TARGETS:
        if places.get(name):
            targets |= Q(**{f"{name}__in": places[name]})
    return list(
        Attachment.objects.filter(
            targets,
            account_id__in={event.call.account_id for event, _, _ in moments},
            timing__in={timing for _, timing, _ in moments},
            is_active=True,
        )
        .exclude(
            Q(campaign__is_active=False)
            | Q(treatment__is_active=False)
            | Q(option__treatment__is_active=False)
        )
        .select_related("webhook__template", "own_template")
        # One webhook's credentials that can not be read must not stop the intake of events.
        .defer("webhook__secret")
        .order_by("created_at", "pk")
    )


def _applies(
    attachment: Attachment, recorded: RecordedEvent, timing: Timing, places: _Places
) -> bool:
    if attachment.timing != timing or attachment.account_id != recorded.call.account_id:
        return False
    webhook_location = attachment.webhook.location_id
    if webhook_location is not None and webhook_location != recorded.call.location_id:
        return False
    for name in TARGETS:
        target = getattr(attachment, f"{name}_id")
        if target is not None:
            return target in places.get(name, ())
    return attachment.account_id in places.get("account", ())
