"""What is kept of the callbacks of a call whose personal data is erased."""

from typing import Any, Final

from django.db.models import Q

from apps.calls.models import Call
from apps.intake.models import Callback

# What a platform posted, what was read from it, and what was wrong with it, in its words.
_SAID: Final[dict[str, Any]] = {"body": "", "event": None, "detail": ""}


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
