"""Forgetting callbacks: what they say first, then all of them, after the days of their account.

Also what those say whose call's personal data is erased.
"""

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any, Final

from django.db.models import Q
from django.utils import timezone

from apps.calls.models import Call
from apps.intake.models import Callback

# What a platform posted, what was read from it, and what was wrong with it, in its words.
_SAID: Final[dict[str, Any]] = {"body": "", "event": None, "detail": ""}


# What waits for its call is needed for so long.
HELD_FOR: Final = dt.timedelta(days=2)


def purge_callbacks(
    account_id: uuid.UUID, bodies_until: dt.datetime, records_until: dt.datetime
) -> Iterator[None]:
    """Forget the old callbacks of an account in one step: of each source there are hundreds."""
    callbacks = Callback.objects.filter(account_id=account_id)
    callbacks.filter(created_at__lt=records_until).delete()
    awaited = Q(outcome=Callback.Outcome.HELD, created_at__gt=timezone.now() - HELD_FOR)
    old = callbacks.filter(created_at__lt=bodies_until).exclude(awaited)
    old.exclude(body="", event__isnull=True, detail="").update(**_SAID)
    yield


def forget_callbacks(call: Call) -> None:
    """Take out what platforms posted about a call; that they did stays."""
    of_call = Q(call=call) | Q(source__account=call.account_id, call_external_id=call.external_id)
    Callback.objects.filter(of_call).update(**_SAID)


def leave_out_erased(callback: Callback) -> None:
    """Keep nothing of what a callback says, not stored yet, whose call was erased before."""
    if _is_of_erased(callback):
        for name, value in _SAID.items():
            setattr(callback, name, value)


def _is_of_erased(callback: Callback) -> bool:
    if callback.call is not None:
        return callback.call.erased_at is not None
    name = callback.call_external_id
    named = Call.objects.filter(account_id=callback.account_id, external_id=name)
    return bool(name) and named.filter(erased_at__isnull=False).exists()
