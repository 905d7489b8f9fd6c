"""Recording what happened to calls."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from apps.accounts.models import Location
from apps.calls import snapshots
from apps.calls.erasing import without_person
from apps.calls.events import BEGINNINGS, UPDATES, EventType
from apps.calls.models import Call, CallEvent
from apps.common.bulk import insert_rows, new_row, update_rows
from apps.common.prepared import prepared_cursor
from apps.common.queries import Among, PreparedQuery, as_array

ANONYMOUS = "anonymous"
# Events, and bytes of what they told, that are folded anew in one go. A call has some dozens;
# whoever invents thousands for one would otherwise have all of them read for each that comes late.
MOST_HISTORY = 5_000
MOST_HISTORY_BYTES = 64_000_000
_Key = tuple[uuid.UUID, str]
_Caller = tuple[uuid.UUID, str]

_KNOWN_EVENTS = PreparedQuery(
    lambda: (
        CallEvent.objects.filter(Among("account_id", "accounts"), Among("external_id", "names"))
        .select_related("call")
        .defer("facts", "snapshot", "call__context", "call__snapshot")
        .order_by()
    )
)
_CALLS = PreparedQuery(
    lambda: (
        Call.objects.filter(Among("account_id", "accounts"), Among("external_id", "names"))
        .order_by("pk")
        .select_for_update(no_key=True)
    )
)
_SEEN = """
SELECT location_id, caller FROM unnest(%s::uuid[], %s::text[]) AS asked(location_id, caller)
WHERE EXISTS (
  SELECT FROM calls_call call
  WHERE call.location_id = asked.location_id AND call.caller = asked.caller)
"""


@dataclass(frozen=True, slots=True)
class ReportedEvent:
    """An event as a platform reported it, with its place found.

    `facts` is what it said, in the snapshot's shape with `type` and `occurred_at`; `context` what
    is known of its place: `location`, and where known `campaign`, `treatment`, `tags` and
    `tracking_number`.
    """

    external_id: str
    call_external_id: str
    type: EventType
    occurred_at: dt.datetime
    sequence: int
    facts: dict[str, Any]
    location: Location
    context: dict[str, Any] = field(default_factory=dict)
    campaign_key: uuid.UUID | None = None
    treatment_key: uuid.UUID | None = None
    option_key: uuid.UUID | None = None

    @property
    def key(self) -> _Key:
        """What makes the event unique."""
        return (self.location.account_id, self.external_id)

    @property
    def call_key(self) -> _Key:
        """What makes the call unique."""
        return (self.location.account_id, self.call_external_id)

    @property
    def caller(self) -> str:
        """Who calls, empty where that is not told or withheld."""
        caller = self.facts.get("from") or ""
        return "" if caller == ANONYMOUS else caller


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event that is stored, and which moments of its call it is.

    A repeat has `is_duplicate` and is no moment of anything. `is_first` says that nothing was
    known of its call before. `new_treatment_key` and `new_option_key` are what the caller reached
    with it, for the first time.
    """

    event: CallEvent
    call: Call
    is_duplicate: bool = False
    is_first: bool = False
    is_begin: bool = False
    is_end: bool = False
    is_update: bool = False
    new_treatment_key: uuid.UUID | None = None
    new_option_key: uuid.UUID | None = None


def record_events(*, reported: Sequence[ReportedEvent]) -> list[RecordedEvent | None]:
    """Store events and bring their calls up to date; return them in the given order.

    None stands for an event that would make its call larger than `snapshots.MAX_BYTES`, or comes
    late where the history of the calls is over `MOST_HISTORY`: nothing of it is kept. Must run in a
    transaction: it locks the calls. Raises IntegrityError when another transaction has stored one
    of the events or calls meanwhile: done again, it finds that one. The number of queries does not
    depend on the number of events.
    """
    known = _known_events(reported)
    fresh = [report for report in reported if report.key not in known]
    calls = _calls_of(fresh)
    seen_callers = _seen_callers(fresh, calls)
    histories = _Histories(calls.values())
    recorded: list[RecordedEvent | None] = []
    for report in reported:
        if (event := known.get(report.key)) is not None:
            recorded.append(RecordedEvent(event=event, call=event.call, is_duplicate=True))
            continue
        outcome = _record_one(report, calls[report.call_key], seen_callers, histories)
        if outcome is not None:
            known[report.key] = outcome.event
        recorded.append(outcome)
    new = [outcome for outcome in recorded if outcome and not outcome.is_duplicate]
    _save_calls({outcome.call.pk: outcome.call for outcome in new}.values())
    insert_rows([outcome.event for outcome in new])
    return recorded


def _known_events(reported: Sequence[ReportedEvent]) -> dict[_Key, CallEvent]:
    found = _KNOWN_EVENTS.ask(
        accounts={report.location.account_id for report in reported},
        names={report.external_id for report in reported},
    )
    return {(event.account_id, event.external_id): event for event in found}


def _calls_of(reported: Sequence[ReportedEvent]) -> dict[_Key, Call]:
    """Return the calls of these events: locked, or new and not stored yet."""
    places = {report.call_key: report.location for report in reversed(reported)}
    if not places:
        return {}
    found = _CALLS.ask(
        accounts={account_id for account_id, _ in places}, names={name for _, name in places}
    )
    calls = {(call.account_id, call.external_id): call for call in found}
    return {key: calls.get(key) or _new_call(key, place) for key, place in places.items()}


def _new_call(key: _Key, location: Location) -> Call:
    account_id, external_id = key
    values = {
        "account_id": account_id,
        "external_id": external_id,
        "context": {"call_id": external_id, "repeat_caller": False},
    }
    return new_row(Call, values, location=location)


def _seen_callers(reported: Iterable[ReportedEvent], calls: Mapping[_Key, Call]) -> set[_Caller]:
    """Return which (location, caller) of the calls that learn their caller now called before."""
    pairs = {
        (calls[report.call_key].location_id, report.caller)
        for report in reported
        if report.caller and not calls[report.call_key].caller
    }
    if not pairs:
        return set()
    locations, callers = zip(*pairs, strict=True)
    with prepared_cursor() as cursor:
        seen = cursor.rows(_SEEN, [as_array(locations), as_array(callers)])
    return {(location_id, caller) for location_id, caller in seen}


class _TooLarge(Exception):
    """An event is more than its call can hold, or than can be folded."""


class _Histories:
    """The events of calls, those just recorded with them.

    Stored ones are read when one call needs its history, and then for all; none if they are over
    `MOST_HISTORY` together.
    """

    def __init__(self, calls: Iterable[Call]) -> None:
        self._old = [call.pk for call in calls if call.snapshot]
        self._are_read = False
        self._are_too_many = False
        self._events: dict[uuid.UUID, list[CallEvent]] = defaultdict(list)

    def add(self, event: CallEvent) -> None:
        """Note an event that is stored later."""
        self._events[event.call_id].append(event)

    def of(self, call: Call, *, also: CallEvent) -> list[CallEvent]:
        """Return a call's events and a new one, in the order in which they happened.

        Raises _TooLarge for too many.
        """
        if self._old and not self._are_read:
            self._read()
        self._are_read = True
        if self._are_too_many and call.pk in self._old:
            raise _TooLarge
        return sorted(
            [*self._events[call.pk], also],
            key=lambda event: (event.occurred_at, event.sequence, event.pk),
        )

    def _read(self) -> None:
        size = 0
        stored = CallEvent.objects.filter(call_id__in=self._old).defer("snapshot")
        for number, event in enumerate(stored.iterator(chunk_size=100), start=1):
            size += snapshots.size_of(event.facts)
            if number > MOST_HISTORY or size > MOST_HISTORY_BYTES:
                self._are_too_many = True
                for call_id in self._old:
                    self._events.pop(call_id, None)
                return
            self._events[event.call_id].append(event)


def _record_one(
    report: ReportedEvent, call: Call, seen_callers: set[_Caller], histories: _Histories
) -> RecordedEvent | None:
    """Apply one event to its call in memory; None, with all as before, if that is too large."""
    if call.erased_at is not None:
        report = replace(report, facts=without_person(report.facts))
    before = {name: getattr(call, name) for name in Call.CHANGED_BY_EVENTS}
    is_first = not call.snapshot
    is_begin = report.type in BEGINNINGS and not call.is_begun
    is_end = report.type == EventType.ENDED and not call.is_ended
    call.is_begun |= is_begin
    call.is_ended |= is_end
    values = {
        "account_id": call.account_id,
        "external_id": report.external_id,
        "type": report.type,
        "occurred_at": report.occurred_at,
        "sequence": report.sequence,
        "facts": report.facts,
        "snapshot": {},
    }
    event = new_row(CallEvent, values, call=call)
    _learn_caller(call, report, seen_callers)
    new_treatment, new_option = _learn_place(call, report)
    is_next = _is_newest(call, event) and call.context == before["context"]
    try:
        event.snapshot, snapshot = _told(call, event, histories, is_next=is_next)
    except _TooLarge:
        for name, value in before.items():
            setattr(call, name, value)
        return None
    histories.add(event)
    _update_from(call, snapshot)
    seen_callers.add((call.location_id, call.caller))
    return RecordedEvent(
        event=event,
        call=call,
        is_first=is_first,
        is_begin=is_begin,
        is_end=is_end,
        is_update=report.type in UPDATES,
        new_treatment_key=new_treatment,
        new_option_key=new_option,
    )


def _learn_caller(call: Call, report: ReportedEvent, seen_callers: set[_Caller]) -> None:
    """Note whether a caller who is told for the first time has called the location before."""
    if call.caller or not report.caller:
        return
    is_repeat = (call.location_id, report.caller) in seen_callers
    call.context = {**call.context, "repeat_caller": is_repeat}


def _learn_place(call: Call, report: ReportedEvent) -> tuple[uuid.UUID | None, uuid.UUID | None]:
    """Note the call's place; return the treatment and the option that are reached newly.

    A call stays at the location where it began: what happens elsewhere tells nothing of its place.
    """
    if report.location.pk != call.location_id:
        return None, None
    call.location = report.location
    call.context = {**call.context, **report.context}
    call.campaign_key = report.campaign_key or call.campaign_key
    call.treatment_keys, new_treatment = _reach(call.treatment_keys, report.treatment_key)
    call.option_keys, new_option = _reach(call.option_keys, report.option_key)
    return new_treatment, new_option


def _reach(
    reached: list[uuid.UUID], key: uuid.UUID | None
) -> tuple[list[uuid.UUID], uuid.UUID | None]:
    """Return all that the caller has reached, and the key if it is new."""
    if key is None or key in reached:
        return reached, None
    return [*reached, key], key


def _is_newest(call: Call, event: CallEvent) -> bool:
    """Tell whether nothing known of the call happened later, and note the event's place."""
    place = (event.occurred_at, event.sequence)
    if call.last_occurred_at and place < (call.last_occurred_at, call.last_sequence):
        return False
    call.last_occurred_at, call.last_sequence = place
    return True


def _told(
    call: Call, event: CallEvent, histories: _Histories, *, is_next: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the call at the moment of an event, and as it is now; raises _TooLarge."""
    if not call.snapshot:
        moment = now = snapshots.apply(call.context, event.facts)
    elif is_next:
        moment = now = snapshots.apply(call.snapshot, event.facts)
    else:
        moment, now = _fold_anew(call, event, histories.of(call, also=event))
    if snapshots.size_of(now) > snapshots.MAX_BYTES or (
        moment is not now and snapshots.size_of(moment) > snapshots.MAX_BYTES
    ):
        raise _TooLarge
    return moment, now


def _fold_anew(
    call: Call, event: CallEvent, history: list[CallEvent]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the call at the moment of an event of its history, and as it is now."""
    facts = [each.facts for each in history]
    after = next(index for index, each in enumerate(history, start=1) if each is event)
    moment = snapshots.fold(call.context, facts[:after])
    return moment, snapshots.fold(moment, facts[after:]) if facts[after:] else moment


def _update_from(call: Call, snapshot: dict[str, Any]) -> None:
    call.snapshot = snapshot
    call.direction = snapshot.get("direction") or ""
    call.status = snapshot.get("status") or ""
    call.caller = snapshot.get("from") or ""
    call.caller_name = _caller_name(snapshot.get("caller") or {})
    call.tracking_number = snapshot.get("tracking_number") or ""
    call.started_at = _moment(snapshot.get("started_at"))
    call.ended_at = _moment(snapshot.get("ended_at"))
    call.duration_s = snapshot.get("duration_s")
    call.talk_s = snapshot.get("talk_s")


def _caller_name(caller: dict[str, Any]) -> str:
    parts = (caller.get("first_name"), caller.get("last_name"))
    name = caller.get("full_name") or " ".join(str(part) for part in parts if part)
    return str(name)[:200]


def _moment(text: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None


def _save_calls(calls: Iterable[Call]) -> None:
    """Store new calls and write the changed ones back.

    All insert in one order, so that of two requests that bring the same new calls none waits for
    one that waits for it.
    """
    stored: list[Call] = []
    new: list[Call] = []
    for call in calls:
        (new if call._state.adding else stored).append(call)
    update_rows(stored, Call.CHANGED_BY_EVENTS)
    new.sort(key=lambda call: (call.account_id, call.external_id))
    insert_rows(new)
