"""What came in and went out since a moment, by account or by location.

Two queries, whatever their number; where it goes by account, they read nothing but an index.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import Count, Max, Q

from apps.calls.models import Call
from apps.delivery.figures import whole_percent
from apps.delivery.models import Delivery, DeliveryState


class By(StrEnum):
    """What is counted together."""

    ACCOUNT = "account"
    LOCATION = "location"

    @property
    def of_delivery(self) -> str:
        """The same, as a delivery knows it."""
        return {By.ACCOUNT: "account", By.LOCATION: "call__location"}[self]


@dataclass(slots=True)
class Totals:
    """Calls, and deliveries by what became of them; what was skipped is none.

    `last_failure_at` is when the newest delivery was planned that has not arrived.
    """

    calls: int = 0
    deliveries: int = 0
    succeeded: int = 0
    failed: int = 0
    under_way: int = 0
    last_failure_at: dt.datetime | None = None

    @property
    def success_rate(self) -> int | None:
        """The share of what is finished that arrived, in percent, and never rounded up."""
        return whole_percent(self.succeeded, self.succeeded + self.failed)


def totals_by(
    by: By, *, account_ids: Sequence[uuid.UUID], since: dt.datetime
) -> dict[uuid.UUID, Totals]:
    """Return the totals of each account or location with something to count."""
    counted: dict[str, Any] = {"account_id__in": account_ids, "created_at__gte": since}
    calls = Call.objects.filter(**counted).order_by().values_list(by.value)
    sent = (
        Delivery.objects.filter(**counted)
        .exclude(state=DeliveryState.SKIPPED)
        .order_by()
        .values_list(by.of_delivery)
    )
    failed = Q(state__in=DeliveryState.unsuccessful())
    found: dict[uuid.UUID, Totals] = {}
    # Counted by what is in the index with their moments.
    for key, total in calls.annotate(total=Count("account")):
        found.setdefault(key, Totals()).calls = total
    for key, *counts in sent.annotate(
        total=Count("account"),
        arrived=Count("account", filter=Q(state=DeliveryState.SUCCEEDED)),
        lost=Count("account", filter=failed),
        left=Count("account", filter=Q(state__in=DeliveryState.unfinished())),
        last=Max("created_at", filter=failed),
    ):
        of_key = found.setdefault(key, Totals())
        (
            of_key.deliveries,
            of_key.succeeded,
            of_key.failed,
            of_key.under_way,
            of_key.last_failure_at,
        ) = counts
    return found


def summed(totals: Iterable[Totals]) -> Totals:
    """Return what they are together."""
    whole = Totals()
    for each in totals:
        whole.calls += each.calls
        whole.deliveries += each.deliveries
        whole.succeeded += each.succeeded
        whole.failed += each.failed
        whole.under_way += each.under_way
        moments = [at for at in (whole.last_failure_at, each.last_failure_at) if at]
        whole.last_failure_at = max(moments, default=None)
    return whole
