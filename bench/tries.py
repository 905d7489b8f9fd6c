"""Whether the log of tries and the receiver tell the same.

Imports models, so it is imported inside `bench.installation.installed()` only.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet, Sum

from apps.common.ids import encode_public_id
from apps.delivery.models import Attempt, Delivery
from apps.delivery.outcome import ErrorKind
from bench.receiver import Arrival


@dataclass(frozen=True, slots=True)
class Comparison:
    """Requests at the receiver, and what the log says of the same deliveries.

    Of a `lost` try nobody knows whether it arrived, so it may stand for a request or for none.
    `differing` are deliveries for which no such reading fits.
    """

    requests: int
    sends: int
    lost: int
    differing: int

    @property
    def void_because(self) -> str:
        """Say what does not fit; "" if all does."""
        if not self.differing:
            return ""
        return f"Of {self.differing:,} deliveries log and receiver tell different things."

    def in_words(self) -> str:
        """Return the comparison for people."""
        return (
            f"{self.requests:,} requests, {self.sends:,} in the log and"
            f" {self.lost:,} of which nobody knows"
        )


def compare(deliveries: QuerySet[Delivery], arrivals: Mapping[str, Arrival]) -> Comparison:
    """Compare the log of these deliveries with what arrived, one by one."""
    tries = Attempt.objects.filter(delivery__in=deliveries).order_by().values_list("delivery")
    is_lost = Q(error_kind=ErrorKind.LOST)
    logged = {
        encode_public_id(Delivery.ID_PREFIX, key): (sends or 0, lost)
        for key, sends, lost in tries.annotate(
            sent=Sum("sends", filter=~is_lost), lost=Count("pk", filter=is_lost)
        ).iterator()
    }
    came = {key: arrival.requests for key, arrival in arrivals.items()}
    nothing = (0, 0)
    differing = 0
    for key in logged.keys() | came.keys():
        sends, lost = logged.get(key, nothing)
        differing += not sends <= came.get(key, 0) <= sends + lost
    return Comparison(
        requests=sum(came.values()),
        sends=sum(sends for sends, _ in logged.values()),
        lost=sum(lost for _, lost in logged.values()),
        differing=differing,
    )
