"""Which attachments an event matches."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from apps.accounts.models import Location
from apps.calls.events import Timing
from apps.calls.models import Call
from apps.calls.services import RecordedEvent
from apps.campaigns.conditions import CallFacts, InvalidCondition, facts_of
from apps.campaigns.conditions_in_words import why_not
from apps.campaigns.models import PLACES, Attachment
from apps.common.models import AccountOwned
from apps.common.queries import Among, PreparedQuery

# The places of a call that a moment belongs to, by name; None stands for the account.
_Places = dict[str, frozenset[uuid.UUID]]

_LOCATIONS = PreparedQuery(
    lambda: (
        Location.objects.filter(Among("pk", "keys")).only("is_active", "business_hours").order_by()
    )
)
_UNASKED = {"created_at", "updated_at"}
_ATTACHMENTS = PreparedQuery(
    lambda: (
        Attachment.objects.filter(
            Q(**{f"{name}__isnull": True for name in PLACES})
            | Q(*(Among(name, name) for name in PLACES), _connector=Q.OR),
            Among("account_id", "accounts"),
            Among("timing", "timings"),
            is_active=True,
        )
        .exclude(
            Q(campaign__is_active=False)
            | Q(treatment__is_active=False)
            | Q(option__treatment__is_active=False)
        )
        .select_related("webhook__template", "own_template")
        # What planning asks of them. One webhook's credentials that can not be read must not stop
        # the intake of events.
        .only(
            *(each.name for each in Attachment._meta.concrete_fields if each.name not in _UNASKED),
            "webhook__location",
            "webhook__template__current_version",
            "own_template__current_version",
        )
        .order_by("created_at", "pk")
    )
)


@dataclass(frozen=True, slots=True)
class Match:
    """An attachment whose webhook tells of an event; or does not, and `why_not` says why."""

    recorded: RecordedEvent
    timing: Timing
    attachment: Attachment
    why_not: str = ""


def match_events(recorded: Sequence[RecordedEvent]) -> list[Match]:
    """Return what is to be sent for these events, one match a webhook and event.

    One query, and one for locations that the calls do not come with.

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
    attached = _Attached(attachments)
    for event, timing, places in moments:
        facts: CallFacts | None = None
        for attachment in attached.to(event.call, timing, places):
            key = (event.event.pk, attachment.webhook_id)
            known = matches.get(key)
            if known is not None and not known.why_not:
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
    whole: _Places = {"location": frozenset([call.location_id])}
    if call.campaign_key:
        whole["campaign"] = frozenset([call.campaign_key])
    account = frozenset([call.account_id])
    if recorded.is_begin:
        yield Timing.BEGIN, {**whole, "account": account}
    reached: _Places = {}
    if recorded.new_treatment_key:
        reached["treatment"] = frozenset([recorded.new_treatment_key])
    if recorded.new_option_key:
        reached["option"] = frozenset([recorded.new_option_key])
    if reached:
        yield Timing.BEGIN, reached
    if recorded.is_end or recorded.is_update:
        everything = {
            **whole,
            "account": account,
            "treatment": frozenset(call.treatment_keys),
            "option": frozenset(call.option_keys),
        }
        yield (Timing.END if recorded.is_end else Timing.UPDATED), everything


def _locations_of(recorded: Sequence[RecordedEvent]) -> dict[uuid.UUID, Location]:
    """Return the locations of calls, by key: as they come with these, else read."""
    relation = Call._meta.get_field("location")
    calls = {event.call.location_id: event.call for event in recorded}
    known = {key: call.location for key, call in calls.items() if relation.is_cached(call)}
    missing = calls.keys() - known.keys()
    return known | {each.pk: each for each in (_LOCATIONS.ask(keys=missing) if missing else ())}


def _candidates(moments: Sequence[tuple[RecordedEvent, Timing, _Places]]) -> list[Attachment]:
    if not moments:
        return []
    places: dict[str, set[uuid.UUID]] = {name: set() for name in PLACES}
    for _, _, found in moments:
        for name in PLACES:
            places[name] |= found.get(name, set())
    return _ATTACHMENTS.ask(
        accounts={event.call.account_id for event, _, _ in moments},
        timings={str(timing) for _, timing, _ in moments},
        **places,
    )


class _Attached:
    """Attachments by what they are attached to, in their order."""

    def __init__(self, attachments: Sequence[Attachment]) -> None:
        self._by_moment: dict[tuple[Any, ...], list[Attachment]] = {}
        self._by_place: dict[uuid.UUID, list[tuple[int, Attachment]]] = defaultdict(list)
        for number, each in enumerate(attachments):
            place = each.campaign_id or each.option_id or each.treatment_id or each.location_id
            self._by_place[place or each.account_id].append((number, each))

    def to(self, call: Call, timing: Timing, places: _Places) -> list[Attachment]:
        """Return those that tell of a moment of a call in these places."""
        key = (timing, call.account_id, call.location_id, *places.items())
        if key not in self._by_moment:
            found = {
                number: attachment
                for keys in places.values()
                for place in keys
                for number, attachment in self._by_place.get(place, ())
                if _applies(attachment, call, timing, places)
            }
            self._by_moment[key] = [found[number] for number in sorted(found)]
        return self._by_moment[key]


def _applies(attachment: Attachment, call: Call, timing: Timing, places: _Places) -> bool:
    if attachment.timing != timing or attachment.account_id != call.account_id:
        return False
    webhook_location = attachment.webhook.location_id
    if webhook_location is not None and webhook_location != call.location_id:
        return False
    for name in PLACES:
        place = getattr(attachment, f"{name}_id")
        if place is not None:
            return place in places.get(name, ())
    return attachment.account_id in places.get("account", ())
