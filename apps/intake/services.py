"""Taking events in: parsed, placed, stored, matched and planned in one transaction."""

import logging
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from threading import BoundedSemaphore
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from apps.accounts.access import access_of_key
from apps.accounts.models import ApiKey
from apps.calls import snapshots
from apps.calls.models import Call
from apps.calls.services import RecordedEvent, ReportedEvent, record_events
from apps.campaigns.matching import match_events
from apps.campaigns.placing import KnownPlace, Place, PlaceReference, Places, UnknownPlace
from apps.common.access import Access
from apps.common.collisions import is_collision
from apps.common.locks import bound_waiting
from apps.common.logs import LineLimit
from apps.common.spare_connections import spare_connections
from apps.common.tenancy import tenant_scope
from apps.delivery.services import plan, release_held
from apps.intake.events import EventFault, ParsedEvent, parse_event
from apps.intake.rounds import Rounds
from apps.ivr.transcripts import transcripts_in

logger = logging.getLogger(__name__)
_lines = LineLimit(logger, "events")

# Two requests may bring the same new event or call at the same moment, and a webhook may go while
# its first delivery is planned: the loser tries again and finds what there is now. One that brings
# many events may lose some of them each time.
_TRIES = 6
# How long a round waits for a call that another transaction holds: all events of its key wait with
# it, in each round that has one of that call.
_MOST_WAIT_MS = 50
# And how long whoever is alone with its transaction waits; the sender is asked to come again then.
_MOST_ALONE_MS = 8_000
# Batches that are stored at the same time. They share the interpreter's lock: more of them are done
# no sooner, and each takes a connection of its own, whose plans grow cold.
_turns = BoundedSemaphore(4)
_MOST_PATIENCE_S = 5.0
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


@dataclass(frozen=True, slots=True)
class Stored:
    """An event that is stored, and how many deliveries are planned for it."""

    recorded: RecordedEvent
    planned: int

    def log(self) -> None:
        """Write a line if it begins or ends a call or is told of, without personal data."""
        each = self.recorded
        if (each.is_begin or each.is_end or self.planned) and _lines.has_room(monotonic()):
            logger.info("%s %s, %d planned", each.event.type, each.call.external_id, self.planned)


_Outcome = Stored | EventFault


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
    events, outcomes = _read(bodies)
    stored = _store_in(_savepoint, access, [*events.values()])
    return _receipt(outcomes | dict(zip(events, stored, strict=True)))


def accept_and_commit(*, key: ApiKey, bodies: Sequence[Any]) -> Receipt:
    """Take a batch as `accept_events` does, outside of any transaction; it is committed then.

    It is for whoever bears the key, and what that reaches now. An event that comes by itself shares
    its transaction with those that come at the same moment with the same key.
    """
    events, outcomes = _read(bodies)
    parsed = [*events.values()]
    if len(bodies) == len(parsed) == 1:
        with spare_connections.lent():
            together = _ROUNDS.join(key.pk, (key, parsed[0]))
        if together is not None:
            return _receipt({0: together})
    with _turn():
        access = access_of_key(key)
        stored = _store_in(partial(tenant_scope, access), access, parsed)
    return _receipt(outcomes | dict(zip(events, stored, strict=True)))


@contextmanager
def _savepoint() -> Iterator[None]:
    """Undo what the block wrote where it refers to what is gone, and not first when all ends."""
    with transaction.atomic():
        yield
        connection.check_constraints()


@contextmanager
def _turn() -> Iterator[None]:
    """Wait while others store, but not for long: one of them may wait for a call itself."""
    with spare_connections.lent():
        has_turn = _turns.acquire(timeout=_MOST_PATIENCE_S)
    try:
        yield
    finally:
        if has_turn:
            _turns.release()


def _read(bodies: Sequence[Any]) -> tuple[dict[int, ParsedEvent], dict[int, _Outcome]]:
    """Return the events, and the faults of what is none, by their index."""
    events: dict[int, ParsedEvent] = {}
    faults: dict[int, _Outcome] = {}
    for index, body in enumerate(bodies):
        try:
            events[index] = parse_event(body)
        except EventFault as fault:
            faults[index] = fault
    return events, faults


def _receipt(outcomes: Mapping[int, _Outcome]) -> Receipt:
    receipt = Receipt()
    for index, outcome in sorted(outcomes.items(), key=itemgetter(0)):
        if isinstance(outcome, EventFault):
            rejection = Rejection(index, outcome.pointer, outcome.code, outcome.message)
            receipt.rejected.append(rejection)
        else:
            receipt.accepted.append((index, outcome.recorded))
            # What is taken back, as the trial of a sample, did not happen.
            if connection.in_atomic_block:
                transaction.on_commit(outcome.log)
            else:
                outcome.log()
    return receipt


def _take_round(brought: Sequence[tuple[ApiKey, ParsedEvent]]) -> list[Stored | None]:
    """Take events that came one by one in one transaction; None for those that it refuses.

    It waits for no call that somebody holds for long: one who waited would keep all others waiting.
    """
    access = access_of_key(brought[0][0])
    with tenant_scope(access):
        bound_waiting(_MOST_WAIT_MS)
        outcomes = _store(access, [event for _, event in brought])
    return [None if isinstance(outcome, EventFault) else outcome for outcome in outcomes]


# An event of whoever comes alone is a round, too: others may come meanwhile.
_ROUNDS = Rounds(_take_round, most=settings.INTAKE_MAX_BATCH)


def _store_in(
    scope: Callable[[], AbstractContextManager[Any]], access: Access, events: Sequence[ParsedEvent]
) -> list[_Outcome]:
    """Store events in a scope of their own, anew after a collision; what is written is undone."""
    if not events:
        return []
    for tries_left in reversed(range(_TRIES)):
        try:
            with scope():
                # A table may be locked for long, and each who waits for it holds a thread.
                bound_waiting(_MOST_ALONE_MS)
                return _store(access, events)
        except DatabaseError as error:
            if not tries_left or not is_collision(error):
                raise
    raise AssertionError("the last try returns or raises")


def _store(access: Access, events: Sequence[ParsedEvent]) -> list[_Outcome]:
    outcomes: list[_Outcome | None] = []
    reported: list[ReportedEvent] = []
    places = _PlaceFinder(access, events)
    for event in events:
        try:
            reported.append(_report(event, places.find(event)))
            outcomes.append(None)
        except UnknownPlace as unknown:
            outcomes.append(
                EventFault(f"/{unknown.field}", f"unknown_{unknown.field}", str(unknown))
            )
    taken = iter(_record_and_plan(reported))
    return [outcome or next(taken) for outcome in outcomes]


def _record_and_plan(reported: Sequence[ReportedEvent]) -> list[_Outcome]:
    if not reported:
        return []
    outcomes = record_events(reported=reported)
    recorded = [outcome for outcome in outcomes if outcome is not None]
    planned = Counter(
        delivery.event_id
        for delivery in plan(matches=[*match_events(recorded), *transcripts_in(recorded)])
    )
    release_held(recorded=recorded)
    return [
        Stored(outcome, planned[outcome.event.pk])
        if outcome
        else EventFault("", "too_large", _TOO_LARGE)
        for outcome in outcomes
    ]


class _PlaceFinder:
    """Finds each event's place; what one leaves out is where its call is known to be."""

    def __init__(self, access: Access, events: Sequence[ParsedEvent]) -> None:
        asking = [event for event in events if _asks_its_call(event)]
        self._found: dict[PlaceReference, Place] = {}
        self._by_call = self._known_calls(access, asking)
        self._places = Places(
            account_ids=access.account_ids,
            references=[event.place for event in events],
            known=[each for found in self._by_call.values() for each in found.values()],
        )
        for event in events if asking else ():
            if _is_placed(event):
                self._learn(event)

    def find(self, event: ParsedEvent) -> Place:
        """Return the place of an event; raises UnknownPlace."""
        if _asks_its_call(event):
            return self._places.find(event.place, known=self._by_call.get(event.call_external_id))
        place = self._found.get(event.place)
        if place is None:
            place = self._found[event.place] = self._places.find(event.place)
        return place

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
        access: Access, asking: Sequence[ParsedEvent]
    ) -> dict[str, dict[uuid.UUID, KnownPlace]]:
        known: dict[str, dict[uuid.UUID, KnownPlace]] = {}
        wanted = {event.call_external_id for event in asking}
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


def _asks_its_call(event: ParsedEvent) -> bool:
    """Tell whether its place depends on what is known of its call."""
    return not _is_placed(event) or bool(event.place.option and not event.place.treatment)


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
