"""Erasing what is known of the person behind a call, on somebody's word."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.calls.models import Call
from apps.common.audit import record
from apps.common.models import AuditAction
from apps.common.tenancy import system_scope

# What rooms above know of a call: each is called with one that is held, to forget it.
FORGET: list[Callable[[Call], None]] = []

# What says when, where and how, and nothing of a person. All else goes, so that what platforms may
# send some day goes too. `tags` stay where they are the campaign's own.
_KEPT = frozenset(
    {
        "account",
        "answered_at",
        "call_id",
        "call_type",
        "campaign",
        "direction",
        "duration_s",
        "ended_at",
        "location",
        "menu_s",
        "number",
        "number_type",
        "occurred_at",
        "options",
        "recorded_s",
        "repeat_caller",
        "ring_count",
        "ringing_at",
        "started_at",
        "status",
        "talk_s",
        "tracking_number",
        "transfer_type",
        "treatment",
        "type",
    }
)


class CallUnderWay(Exception):
    """Something of the call is being sent at this moment, and would be written down afterwards."""

    def __init__(self) -> None:
        super().__init__("A delivery of this call is being sent; try again in two minutes.")


def without_person(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of facts or of a snapshot that tells nothing of a person."""
    return {name: value for name, value in document.items() if name in _KEPT}


@transaction.atomic
def erase_personal_data(*, call: Call) -> Call:
    """Blank what Hookline knows of the person behind a call, for good; return the call.

    It stays with its times, places, events and deliveries, without what they said of anybody. Of
    events that are still to come, the same is left out. Whether somebody may do this in the account
    of the call has been checked before. Raises CallUnderWay.
    """
    with system_scope():
        held = Call.objects.select_for_update().get(pk=call.pk)
        for forget in FORGET:
            forget(held)
        _blank(held)
    record(action=AuditAction.ERASED, account_id=held.account_id, subject=held)
    return held


def _blank(call: Call) -> None:
    tags = {"tags": call.context["tags"]} if "tags" in call.context else {}
    call.caller = call.caller_name = ""
    call.context = without_person(call.context) | tags
    call.snapshot = without_person(call.snapshot) | tags
    call.erased_at = call.erased_at or timezone.now()
    call.save(update_fields=["caller", "caller_name", "context", "snapshot", "erased_at"])
    for event in call.events.iterator(chunk_size=100):
        event.facts = without_person(event.facts)
        event.snapshot = without_person(event.snapshot) | tags
        event.save(update_fields=["facts", "snapshot"])
