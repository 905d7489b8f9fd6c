"""Whether the log of tries and the receiver tell the same, request by request."""

from collections import Counter

from apps.delivery.models import Attempt
from apps.delivery.outcome import ErrorKind
from tests.delivery.receiver import Receiver


def assert_log_agrees(receiver: Receiver) -> None:
    """Each request is a try, and each try that went on the wire a request, by webhook-id.

    Of a `lost` try nobody knows whether it arrived: it stands for one request or for none.
    """
    came = Counter(each.id for each in receiver.requests)
    sent: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for attempt in Attempt.objects.select_related("delivery"):
        if attempt.error_kind == ErrorKind.LOST:
            lost[attempt.delivery.public_id] += 1
        else:
            sent[attempt.delivery.public_id] += attempt.sends
    differing = {
        key: (came[key], sent[key], lost[key])
        for key in came | sent | lost
        if not sent[key] <= came[key] <= sent[key] + lost[key]
    }
    assert not differing
