"""The call as it was: folding events into the document that tokens read.

Pure. A snapshot is a JSON object; its shape is in docs/snapshot.md. `fold` takes the events of a
call in the order in which they happened, so an event that arrives late takes its right place and
can not move the call backwards.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from apps.common.documents import as_json

Snapshot = dict[str, Any]

# What the columns of a call hold.
MAX_SECONDS = 2_147_483_647
# Every event keeps a snapshot and every delivery carries one, so a call can not grow for ever. It
# has room for one event of the largest size (apps/intake/events.py) and half as much again for its
# place and its other events; a call with a transcript of an hour takes less than a fifth.
MAX_BYTES = 393_216

_MERGED = (
    "caller",
    "visitor",
    "vehicle",
    "tags",
    "survey",
    "custom",
    "recording",
    "click",
    "analysis",
)
_ENDED = "call.ended"
_REACHED = "call.option_reached"
_LEG_ENDED = "call.leg_ended"
_LATE_CHANGES = frozenset({_ENDED, "call.updated", "recording.ready", "transcript.ready"})


def fold(context: Mapping[str, Any], events: Iterable[Mapping[str, Any]]) -> Snapshot:
    """Return the call after these events, oldest first, on top of what is known of its place.

    It shares with them what is inside: nobody changes a part of a snapshot in place.
    """
    snapshot: Snapshot = dict(context)
    for facts in events:
        snapshot = apply(snapshot, facts)
    return snapshot


def apply(snapshot: Mapping[str, Any], facts: Mapping[str, Any]) -> Snapshot:
    """Return the call after one more event.

    `facts` has `type`, `occurred_at` (RFC 3339) and whatever the event said, in the snapshot's
    own shape. What it leaves out or gives as null stays as it was. A stray ringing or answer that
    is dated after the end only fills gaps, and so does a leg that nobody answered beside one that
    somebody did.
    """
    after: Snapshot = dict(snapshot)
    kind, moment = facts["type"], facts["occurred_at"]
    fills_gaps_only = bool(after.get("ended_at")) and kind not in _LATE_CHANGES
    fills_gaps_only |= kind == _LEG_ENDED and after.get("status") == "answered"
    for name, value in facts.items():
        if value is None or name in ("type", "occurred_at", "option"):
            continue
        if name in _MERGED and isinstance(value, Mapping):
            after[name] = _merged(after.get(name), value, fills_gaps_only)
        elif not fills_gaps_only or after.get(name) in (None, ""):
            after[name] = value
    if (option := facts.get("option")) and _is_reached(after, option, kind):
        after["options"] = [*after.get("options", ()), {**option, "reached_at": moment}]
    if kind == "call.started":
        after.setdefault("started_at", moment)
    if kind == "call.ringing" and not fills_gaps_only:
        after.setdefault("ringing_at", moment)
    if kind == "call.answered" and not fills_gaps_only:
        after.setdefault("answered_at", moment)
        after["status"] = facts.get("status") or "answered"
    if kind == _ENDED:
        after.setdefault("ended_at", moment)
        _settle(after, stated=facts)
    if after.get("ended_at") and after.get("status") not in (None, "answered"):
        after["talk_s"] = 0
    return after


def size_of(snapshot: Snapshot) -> int:
    """Return how many bytes a snapshot takes as JSON in UTF-8."""
    return len(as_json(snapshot))


def _is_reached(call: Snapshot, option: Mapping[str, Any], kind: str) -> bool:
    """Tell whether the caller reached an option now; later events may repeat what was reached."""
    return kind == _REACHED or not any(
        (known["key"], known["label"]) == (option["key"], option["label"])
        for known in call.get("options", ())
    )


def _merged(before: Any, change: Mapping[str, Any], fills_gaps_only: bool) -> dict[str, Any]:
    known = {name: value for name, value in change.items() if value is not None}
    kept = dict(before or {})
    return {**known, **kept} if fills_gaps_only else {**kept, **known}


def _settle(call: Snapshot, *, stated: Mapping[str, Any]) -> None:
    """Work out, at the end, what the platform left open."""
    if not stated.get("status") and call.get("status") != "answered":
        call["status"] = _outcome(call)
    if call.get("duration_s") is None:
        call["duration_s"] = _seconds(call.get("started_at"), call["ended_at"])
    if call.get("started_at") is None and call["duration_s"] is not None:
        call["started_at"] = _before(call["ended_at"], call["duration_s"])
    if call["status"] == "answered" and call.get("talk_s") is None:
        call["talk_s"] = _seconds(call.get("answered_at"), call["ended_at"])
    if call.get("menu_s") is None and call.get("options"):
        call["menu_s"] = _seconds(
            call.get("started_at"), call.get("answered_at") or call["ended_at"]
        )


def _outcome(call: Snapshot) -> str:
    if call.get("status"):
        return str(call["status"])
    if call.get("answered_at"):
        return "answered"
    was_put_through = call.get("ringing_at") or call.get("target") or call.get("ring_count")
    return "ivr" if call.get("options") and not was_put_through else "no_answer"


def _before(end: str, seconds: int) -> str | None:
    """Return the moment so many seconds before another; None where no calendar has it."""
    try:
        start = dt.datetime.fromisoformat(end) - dt.timedelta(seconds=seconds)
    except OverflowError:
        return None
    return start.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _seconds(start: str | None, end: str | None) -> int | None:
    if not start or not end:
        return None
    elapsed = dt.datetime.fromisoformat(end) - dt.datetime.fromisoformat(start)
    return min(max(0, round(elapsed.total_seconds())), MAX_SECONDS)
