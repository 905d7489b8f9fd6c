"""Taking events in: parsed, placed, stored, matched and planned in one transaction."""

import logging
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, IntegrityError, OperationalError, transaction
from psycopg.errors import DeadlockDetected, UniqueViolation

from apps.calls import snapshots
from apps.calls.models import Call
from apps.calls.services import RecordedEvent, ReportedEvent, record_events
from apps.campaigns.matching import match_events
from apps.campaigns.placing import KnownPlace, Place, PlaceReference, Places, UnknownPlace
from apps.common.access import Access
from apps.delivery.models import Delivery
from apps.delivery.services import plan, release_held
from apps.intake.events import EventFault, ParsedEvent, parse_event
from apps.ivr.transcripts import transcripts_in

logger = logging.getLogger(__name__)

# Two requests may bring the same new event or call at the same moment: the loser tries again and
# finds it. One that brings many may lose some of them each time.
_TRIES = 6
_TOO_LARGE = (
    f"With this event, its call would have more than {snapshots.MAX_BYTES:,} bytes; or it comes"
    " late, and the calls of this request have too many events to find its place."
)


@dataclass(frozen=True, slots=True)
class Rejection:
    """An event of a batch that was not taken, and why."""

    index: int
    pointer: str
    code: str
    message: str


@dataclass(slots=True)
class Receipt:
    """What became of a batch. `accepted` pairs an event's index with what was recorded."""

    accepted: list[tuple[int, RecordedEvent]] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)


def accept_events(*, access: Access, bodies: Sequence[Any]) -> Receipt:
    """Take a batch of events for whoever has this access.

    Each event is taken or rejected by itself. When this returns inside a transaction that then
    commits, every accepted event is stored and its deliveries are planned.
    """
    receipt = Receipt()
    parsed: list[tuple[int, ParsedEvent]] = []
    for index, body in enumerate(bodies):
        try:
            parsed.append((index, parse_event(body)))
        except EventFault as fault:
            receipt.rejected.append(Rejection(index, fault.pointer, fault.code, fault.message))
    for tries_left in reversed(range(_TRIES)):
        try:
            with transaction.atomic():
                _store(access, parsed, receipt)
            break
        except (IntegrityError, OperationalError) as error:
            if not tries_left or not _is_collision(error):
                raise
    receipt.rejected.sort(key=lambda rejection: rejection.index)
    return receipt


def _is_collision(error: DatabaseError) -> bool:
    return isinstance(error.__cause__, (UniqueViolation, DeadlockDetected))


def _store(access: Access, parsed: list[tuple[int, ParsedEvent]], receipt: Receipt) -> None:
    reported: list[tuple[int, ReportedEvent]] = []
    rejected: list[Rejection] = []
    places = _PlaceFinder(access, [event for _, event in parsed])
    for index, event in parsed:
        try:
            reported.append((index, _report(event, places.find(event))))
        except UnknownPlace as unknown:
            rejected.append(
                Rejection(index, f"/{unknown.field}", f"unknown_{unknown.field}", str(unknown))
            )
    if reported:
        accepted: list[tuple[int, RecordedEvent]] = []
        outcomes = record_events(reported=[report for _, report in reported])
        for (index, _), outcome in zip(reported, outcomes, strict=True):
            if outcome is None:
                rejected.append(Rejection(index, "", "too_large", _TOO_LARGE))
            else:
                accepted.append((index, outcome))
        recorded = [outcome for _, outcome in accepted]
        planned = plan(matches=[*match_events(recorded), *transcripts_in(recorded)])
        release_held(recorded=recorded)
        if logger.isEnabledFor(logging.INFO):
            _log(recorded, planned)
        receipt.accepted = accepted
    receipt.rejected += rejected


def _log(recorded: Sequence[RecordedEvent], planned: Sequence[Delivery]) -> None:
    """Write a line for what begins or ends a call or is told of, without personal data."""
    deliveries = Counter(delivery.event_id for delivery in planned)
    for each in recorded:
        count = deliveries[each.event.pk]
        if each.is_begin or each.is_end or count:
            logger.info("%s %s, %d planned", each.event.type, each.call.external_id, count)


class _PlaceFinder:
    """Finds each event's place; what one leaves out is where its call is known to be."""

    def __init__(self, access: Access, events: Sequence[ParsedEvent]) -> None:
        self._by_call = self._known_calls(access, events)
        self._places = Places(
            account_ids=access.account_ids,
            references=[event.place for event in events],
            known=[each for found in self._by_call.values() for each in found.values()],
        )
        for event in events:
            if _is_placed(event):
                self._learn(event)

    def find(self, event: ParsedEvent) -> Place:
        """Return the place of an event; raises UnknownPlace."""
        return self._places.find(event.place, known=self._by_call.get(event.call_external_id))

    def _learn(self, event: ParsedEvent) -> None:
        """Note what a batch itself tells of a call's place, for its events that do not."""
        try:
            place = self._places.find(event.place)
        except UnknownPlace:
            return
        known = self._by_call.setdefault(event.call_external_id, {}).setdefault(
            place.location.account_id, KnownPlace(place.location, set())
        )
        if place.treatment:
            known.treatment_keys.add(place.treatment.pk)

    @staticmethod
    def _known_calls(
        access: Access, events: Sequence[ParsedEvent]
    ) -> dict[str, dict[uuid.UUID, KnownPlace]]:
        wanted = {
            event.call_external_id
            for event in events
            if not _is_placed(event) or (event.place.option and not event.place.treatment)
        }
        known: dict[str, dict[uuid.UUID, KnownPlace]] = {}
        if wanted:
            calls = (
                Call.objects.filter(account_id__in=access.account_ids, external_id__in=wanted)
                .select_related("location__account")
                .only("account_id", "external_id", "treatment_keys", "location")
            )
            for call in calls:
                known.setdefault(call.external_id, {})[call.account_id] = KnownPlace(
                    call.location, set(call.treatment_keys)
                )
        return known


def _is_placed(event: ParsedEvent) -> bool:
    return bool(event.place.location or event.place.tracking_number)


def _report(event: ParsedEvent, place: Place) -> ReportedEvent:
    facts = dict(event.facts)
    if event.place.option:
        facts["option"] = _option_facts(event.place, place)
    return ReportedEvent(
        external_id=event.external_id,
        call_external_id=event.call_external_id,
        type=event.type,
        occurred_at=event.occurred_at,
        sequence=event.sequence,
        facts=facts,
        location=place.location,
        context=place.context,
        campaign_key=place.campaign.pk if place.campaign else None,
        treatment_key=place.treatment.pk if place.treatment else None,
        option_key=place.option.pk if place.option else None,
    )


def _option_facts(reference: PlaceReference, place: Place) -> dict[str, Any]:
    """Return what the caller reached: as set up, or as the platform named it."""
    if place.option is None:
        return {"key": None, "label": reference.option, "destination": None}
    return {
        "key": place.option.key,
        "label": place.option.label,
        "destination": place.option.destination or None,
    }
