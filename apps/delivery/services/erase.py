"""What is left of the deliveries of a call whose personal data is erased."""

from django.utils import timezone

from apps.calls.erasing import CallUnderWay
from apps.calls.models import Call
from apps.delivery.models import Attempt, CallerTurn, Delivery, DeliveryState
from apps.delivery.retention import remove_bodies

_SKIPPED = "Skipped: the personal data of the call was erased."


def forget_deliveries(call: Call) -> None:
    """Take out what was sent for a call and answered; what is not sent yet ends as skipped.

    Raises CallUnderWay while somebody has claimed one.
    """
    held = Delivery.objects.filter(call=call).order_by("pk").select_for_update(no_key=True)
    claims = dict(held.values_list("pk", "claim"))
    if any(claims.values()):
        raise CallUnderWay
    deliveries = Delivery.objects.filter(pk__in=claims)
    deliveries.filter(state__in=DeliveryState.unfinished()).update(
        state=DeliveryState.SKIPPED,
        finished_at=timezone.now(),
        next_attempt_at=None,
        expires_at=None,
        last_error=_SKIPPED,
    )
    remove_bodies(list(claims))
    # What went wrong may be told in the words of the receiver.
    deliveries.filter(state=DeliveryState.FAILED).update(last_error="")
    Attempt.objects.filter(delivery__in=claims).update(error_message="")
    CallerTurn.objects.filter(delivery_key__in=claims).delete()
