"""What is kept of the callbacks of a call whose personal data is erased."""

from django.db.models import Q

from apps.calls.models import Call
from apps.intake.models import Callback


def forget_callbacks(call: Call) -> None:
    """Take out what platforms posted about a call; that they did stays."""
    of_call = Q(call=call) | Q(source__account=call.account_id, call_external_id=call.external_id)
    Callback.objects.filter(of_call).update(body="", event=None)
