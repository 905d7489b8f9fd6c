"""Recording what happened to calls."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.accounts.models import Location
from apps.calls import snapshots
from apps.calls.events import BEGINNINGS, UPDATES, EventType
from apps.calls.models import Call, CallEvent

ANONYMOUS = "anonymous"
_CallKey = tuple[uuid.UUID, str]


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
    def call_key(self) -> _CallKey:
        """What makes the call unique."""
        return (self.location.account_id, self.call_external_id)


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event that is stored, and which moments of its call it is.

    A repeat has `is_duplicate` and is no moment of anything. `new_treatment_key` and `option_key`
    are what the caller reached with it.
    """

    event: CallEvent
    call: Call
    is_duplicate: bool = False
    is_begin: bool = False
    is_end: bool = False
    is_update: bool = False
    new_treatment_key: uuid.UUID | None = None
    option_key: uuid.UUID | None = None


def record_events(*, reported: Sequence[ReportedEvent]) -> list[RecordedEvent]:
    """Store events and bring their calls up to date; return them in the given order.

    Must run in a transaction: it locks the calls. The number of queries does not depend on the
    number of events, unless some arrive late and their calls are folded anew.
    """
    calls = _locked_calls(reported)
    known = _known_events(reported)
    unsaved: dict[uuid.UUID, list[CallEvent]] = defaultdict(list)
    recorded: list[RecordedEvent] = []
    for report in reported:
        call = calls[report.call_key]
        event_key = (report.location.account_id, report.external_id)
        if event_key in known:
            event = known[event_key]
            recorded.append(RecordedEvent(event=event, call=event.call, is_duplicate=True))
            continue
        outcome = _record_one(report, call, unsaved[call.pk])
        known[event_key] = outcome.event
        recorded.append(outcome)
    fresh = [outcome for outcome in recorded if not outcome.is_duplicate]
    CallEvent.objects.bulk_create([outcome.event for outcome in fresh])
    _save_calls({outcome.call.pk: outcome.call for outcome in fresh}.values())
    return recorded


def _locked_calls(reported: Iterable[ReportedEvent]) -> dict[_CallKey, Call]:
    """Return the calls of these events, made where they are new, all locked.

    Two requests may bring the first events of a call at once: the insert of the second waits for
    the first and then does nothing, and both go on with the same row.
    """
    first_reports: dict[_CallKey, ReportedEvent] = {}
    for report in reported:
        first_reports.setdefault(report.call_key, report)
    calls = _select_calls(first_reports)
    missing = {key: report for key, report in first_reports.items() if key not in calls}
    if missing:
        repeat_callers = _repeat_callers(missing.values())
        Call.objects.bulk_create(
            [_new_call(report, repeat_callers) for report in missing.values()],
            ignore_conflicts=True,
        )
        calls |= _select_calls(missing)
    return calls


def _select_calls(keys: Iterable[_CallKey]) -> dict[_CallKey, Call]:
    wanted = set(keys)
    found = (
        Call.objects.filter(
            account_id__in={account_id for account_id, _ in wanted},
            external_id__in={external_id for _, external_id in wanted},
        )
        .order_by("pk")
        .select_for_update()
    )
    by_key = {(call.account_id, call.external_id): call for call in found}
    return {key: call for key, call in by_key.items() if key in wanted}


def _new_call(report: ReportedEvent, repeat_callers: set[tuple[uuid.UUID, str]]) -> Call:
    caller = report.facts.get("from") or ""
    return Call(
        account_id=report.location.account_id,
        location=report.location,
        external_id=report.call_external_id,
        context={
            "call_id": report.call_external_id,
            "repeat_caller": (report.location.pk, caller) in repeat_callers,
        },
    )


def _repeat_callers(reports: Iterable[ReportedEvent]) -> set[tuple[uuid.UUID, str]]:
    """Return the (location, caller) pairs among new calls that were seen before."""
    pairs = {
        (report.location.pk, report.facts.get("from"))
        for report in reports
        if report.facts.get("from") not in (None, "", ANONYMOUS)
    }
    if not pairs:
        return set()
    return set(
        Call.objects.filter(
            location_id__in={location for location, _ in pairs},
            caller__in={caller for _, caller in pairs},
        ).values_list("location_id", "caller")
    )


def _known_events(reported: Iterable[ReportedEvent]) -> dict[tuple[uuid.UUID, str], CallEvent]:
    reported = list(reported)
    found = (
        CallEvent.objects.filter(
            account_id__in={report.location.account_id for report in reported},
            external_id__in={report.external_id for report in reported},
        )
        .select_related("call")
        .defer("facts", "snapshot", "call__context", "call__snapshot")
    )
    return {(event.account_id, event.external_id): event for event in found}


def _record_one(report: ReportedEvent, call: Call, unsaved: list[CallEvent]) -> RecordedEvent:
    """Apply one event to its call in memory; `unsaved` are those applied just before."""
    is_begin = report.type in BEGINNINGS and not call.is_begun
    is_end = report.type == EventType.ENDED and not call.is_ended
    call.is_begun |= is_begin
    call.is_ended |= is_end
    known_context = call.context
    call.context = {**known_context, **report.context}
    call.campaign_key = report.campaign_key or call.campaign_key
    new_treatment = _reach(call.treatment_keys, report.treatment_key)
    _reach(call.option_keys, report.option_key)
    event = CallEvent(
        account_id=call.account_id,
        call=call,
        external_id=report.external_id,
        type=report.type,
        occurred_at=report.occurred_at,
        sequence=report.sequence,
        facts=report.facts,
        snapshot={},
    )
    place = (event.occurred_at, event.sequence)
    if call.last_occurred_at is None or place >= (call.last_occurred_at, call.last_sequence):
        call.last_occurred_at, call.last_sequence = place
        is_newest = call.context == known_context
    else:
        is_newest = False
    if is_newest and call.snapshot:
        snapshot = event.snapshot = snapshots.apply(call.snapshot, event.facts)
    else:
        event.snapshot, snapshot = _fold_anew(call, [*unsaved, event])
    unsaved.append(event)
    _update_from(call, snapshot)
    return RecordedEvent(
        event=event,
        call=call,
        is_begin=is_begin,
        is_end=is_end,
        is_update=report.type in UPDATES,
        new_treatment_key=new_treatment,
        option_key=report.option_key,
    )


def _reach(reached: list[uuid.UUID], key: uuid.UUID | None) -> uuid.UUID | None:
    """Note what the caller reached; return it if it is new."""
    if key is None or key in reached:
        return None
    reached.append(key)
    return key


def _fold_anew(call: Call, unsaved: list[CallEvent]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the call at the moment of the last of the unsaved events, and as it is now."""
    events = [*(call.events.all() if call.snapshot else ()), *unsaved]
    events.sort(key=lambda event: (event.occurred_at, event.sequence))
    position = next(index for index, event in enumerate(events) if event is unsaved[-1])
    facts = [event.facts for event in events]
    moment = snapshots.fold(call.context, facts[: position + 1])
    return moment, snapshots.fold(moment, facts[position + 1 :])


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
    """Write the changed calls back: one upsert is far cheaper than Django's bulk update."""
    Call.objects.bulk_create(
        list(calls),
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=Call.CHANGED_BY_EVENTS,
    )
