"""Taking the callbacks of sources: verified, read, and taken as events of their account."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.accounts.access import access_of_account
from apps.calls.models import Call, CallEvent
from apps.calls.services import RecordedEvent
from apps.common.access import Access
from apps.common.ids import InvalidPublicId
from apps.common.locks import hold
from apps.common.tenancy import system_scope, tenant_scope
from apps.intake.adapters import Reading, twilio
from apps.intake.forgetting import HELD_FOR, leave_out_erased
from apps.intake.models import Callback, Source
from apps.intake.requests import (
    Request,
    digest_of,
    is_genuine,
    read_kept,
    read_request,
    text_of,
)
from apps.intake.services import Receipt, accept_events

# Callbacks that are kept of a source, to look at; those that wait for their call stay longer.
MOST_KEPT = 500
_KEPT_CHARACTERS = 16_384
_REFUSED_EVERY = dt.timedelta(minutes=1)


class RefusedCallback(Exception):
    """A callback that did not come from who it should; nothing of it is kept."""


class NotTakenAgain(Exception):
    """A callback that can not be taken again; the message says why."""


def find_source(*, public_id: str, url_key: str) -> Source | None:
    """Return the active source behind a callback URL; None, as for a wrong one, if it is off."""
    try:
        key = Source.key_of(public_id)
    except InvalidPublicId:
        return None
    with system_scope():
        source = (
            Source.objects.select_related("account", "location")
            .filter(pk=key, is_active=True, account__is_active=True)
            .first()
        )
    # Compared by hash: the time taken tells nothing of how much was right.
    if source is None or _hash(source.url_key) != _hash(url_key):
        return None
    return source


def take_callback(*, source: Source, request: Request) -> Callback:
    """Verify a request and take what it says, in the account of the source.

    The same request again changes nothing, unless it was rejected or ignored before. What is about
    a call that is not known yet is held until the call is. Raises RefusedCallback.
    """
    if not is_genuine(source, request):
        _note_refusal(source)
        raise RefusedCallback
    with tenant_scope(access_of_account(source.account)):
        reading, fault = read_request(source, request)
        callback = Callback(
            account_id=source.account_id,
            source=source,
            digest=digest_of(source, request),
            body=text_of(source, request)[:_KEPT_CHARACTERS],
        )
        return _store(callback, reading, fault)


def take_again(*, callback: Callback) -> Callback:
    """Take a rejected or ignored callback as if its platform had called again, and return it.

    It is read as its source is set up now, and of the moment at which it came. It was genuine then:
    nothing is kept of others. Raises NotTakenAgain.
    """
    if why_not := why_not_again(callback):
        raise NotTakenAgain(why_not)
    with tenant_scope(access_of_account(callback.source.account)):
        reading, fault = read_kept(callback)
        return _store(callback, reading, fault)


def why_not_again(callback: Callback) -> str:
    """Return why a callback can not be taken again; "" where it can."""
    source = callback.source
    if not callback.is_open:
        return "Only what was rejected or ignored can be taken again."
    if not source.is_active:
        return "The platform is switched off."
    if source.is_twilio:
        # Its URL is read too, and not kept; what was read of both is.
        return "" if callback.event else "Hookline reads nothing in it that could be taken."
    if not callback.body:
        return "Nothing of it is kept."
    is_whole = len(callback.body) < _KEPT_CHARACTERS
    return "" if is_whole else f"Only its first {_KEPT_CHARACTERS // 1024} KB are kept."


def try_event(*, source: Source, event: dict[str, Any]) -> Receipt:
    """Return what would become of an event, and take it back."""
    with tenant_scope(access_of_account(source.account)), transaction.atomic():
        receipt = _accept(source, event)
        transaction.set_rollback(True)
    return receipt


def _store(callback: Callback, reading: Reading | None, fault: str) -> Callback:
    """Take what was read of a callback, unless it was taken before; return what is stored."""
    source = callback.source
    # Callbacks of one call are taken one after the other.
    _lock(source, [reading.call_id, reading.leg_id] if reading else [callback.digest])
    known = source.callbacks.filter(digest=callback.digest).first()
    if known is not None and not known.is_open:
        return known
    callback = known or callback
    if reading is None:
        _conclude(callback, Callback.Outcome.REJECTED, fault)
    else:
        _take(callback, reading)
    leave_out_erased(callback)
    callback.save()
    if callback.outcome == Callback.Outcome.TAKEN and reading is not None:
        _take_held(source, {reading.call_id, reading.leg_id})
    _forget_oldest(source)
    return callback


def _note_refusal(source: Source) -> None:
    """Remember, at most once a minute, that somebody was turned away."""
    now = timezone.now()
    with system_scope():
        if source.last_refused_at is None or now - source.last_refused_at > _REFUSED_EVERY:
            Source.objects.filter(pk=source.pk).update(last_refused_at=now)


def _take(callback: Callback, reading: Reading) -> None:
    """Take what was read as an event, and note what became of it."""
    callback.about = reading.about[:200]
    callback.call_external_id = reading.call_id[:128]
    callback.leg_external_id = reading.leg_id[:128]
    if reading.event is None:
        callback.event = None
        _conclude(callback, Callback.Outcome.IGNORED, reading.ignored)
        return
    callback.event = {**reading.event}
    if reading.leg_id == reading.call_id:
        callback.event["call_id"] = _call_of_leg(callback.source, reading.leg_id)
    _take_event(callback)


def _take_event(callback: Callback) -> None:
    event = dict(callback.event or {})
    receipt = _accept(callback.source, event)
    if receipt.accepted:
        _, recorded = receipt.accepted[0]
        callback.call = recorded.call
        if not recorded.is_duplicate:
            _conclude(callback, Callback.Outcome.TAKEN, "")
        elif _is_repeat(callback.source, recorded, event):
            _conclude(callback, Callback.Outcome.REPEATED, "")
        else:
            another = (
                f"“{event['id']}” is the id of another event, of call {recorded.call.external_id}."
            )
            detail = f"{another} Fill it from elsewhere, or not at all. (/id)"
            _conclude(callback, Callback.Outcome.REJECTED, detail)
        return
    fault = receipt.rejected[0]
    names_place = event.get("tracking_number") or event.get("location")
    if fault.code == "unknown_tracking_number" and not names_place:
        _conclude(callback, Callback.Outcome.HELD, "Nothing has told yet where this call came in.")
        return
    where = f" ({fault.pointer})" if fault.pointer else ""
    _conclude(callback, Callback.Outcome.REJECTED, f"{fault.message}{where}")


def _is_repeat(source: Source, recorded: RecordedEvent, event: dict[str, Any]) -> bool:
    """Tell whether the stored event of this id is this one; Twilio's ids are ours, and tell it."""
    stored = (recorded.event.type, recorded.call.external_id)
    return source.is_twilio or stored == (event["type"], event["call_id"])


def _accept(source: Source, event: dict[str, Any]) -> Receipt:
    """Take an event; where its number is not set up, at the source's own location."""
    access = access_of_account(source.account)
    event = _settled(source, access, event)
    receipt = accept_events(access=access, bodies=[event])
    is_unknown = any(each.code == "unknown_tracking_number" for each in receipt.rejected)
    if is_unknown and source.location is not None and event.get("tracking_number"):
        elsewhere = {name: value for name, value in event.items() if name != "tracking_number"}
        elsewhere["location"] = source.location.public_id
        receipt = accept_events(access=access, bodies=[elsewhere])
    return receipt


def _settled(source: Source, access: Access, event: dict[str, Any]) -> dict[str, Any]:
    """Say of a finished Twilio call without legs that it was answered: Twilio itself did."""
    if not source.is_twilio or event.get("type") != "call.ended" or "status" in event:
        return event
    call = (
        Call.objects.filter(account_id__in=access.account_ids, external_id=event["call_id"])
        .only("snapshot")
        .first()
    )
    known = call.snapshot if call else {}
    rang = known.get("ringing_at") or known.get("answered_at") or known.get("status")
    return event if rang else {**event, "status": "answered"}


def _call_of_leg(source: Source, leg_id: str) -> str:
    """Return the id of the call that a leg belongs to, as its events told; else the leg's own."""
    ids = [twilio.event_id(leg_id, status) for status in twilio.STATUSES]
    told = CallEvent.objects.filter(account_id=source.account_id, external_id__in=ids)
    found = told.values_list("call__external_id", flat=True).first()
    return found or leg_id


def _take_held(source: Source, ids: set[str]) -> None:
    """Take what came in before it was known to which call, or where that came in.

    `ids` are those of calls and legs that are known now; what is taken may make further legs known.
    """
    known: set[str] = set()
    while fresh := ids - known - {""}:
        known |= fresh
        held = source.callbacks.filter(
            call_external_id__in=fresh, outcome=Callback.Outcome.HELD
        ).order_by("pk")
        for callback in held:
            callback.source = source
            if callback.event and callback.leg_external_id == callback.call_external_id:
                callback.event["call_id"] = _call_of_leg(source, callback.leg_external_id)
            _take_event(callback)
            callback.save(update_fields=["event", "call", "outcome", "detail"])
            ids = ids | {callback.leg_external_id}


def _conclude(callback: Callback, outcome: Callback.Outcome, detail: str) -> None:
    callback.outcome, callback.detail = outcome, detail[:500]


def _forget_oldest(source: Source) -> None:
    held = Callback.Outcome.HELD
    beyond = list(source.callbacks.order_by("-pk").values_list("pk", flat=True)[MOST_KEPT:][:100])
    if beyond:
        waiting = source.callbacks.filter(outcome=held, created_at__gt=timezone.now() - HELD_FOR)
        source.callbacks.filter(pk__in=beyond).exclude(pk__in=waiting.values("pk")).delete()


def _lock(source: Source, names: Sequence[str]) -> None:
    for name in sorted({*names} - {""}):
        hold(f"{source.pk} {name}")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
