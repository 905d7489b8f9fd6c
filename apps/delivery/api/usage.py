"""How much was used: calls, deliveries and tries by day."""

import datetime as dt
import uuid
from collections import defaultdict
from typing import Any

from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.calls.models import Call
from apps.common.access import Role
from apps.common.api.fields import AccountKey
from apps.common.api.filters import invalid_parameter
from apps.common.api.parameters import named_account, refuse_unknown_parameters
from apps.common.api.schema import ACCOUNT_PARAMETER
from apps.common.api.views import ApiView
from apps.delivery.models import Delivery, DeliveryState

MOST_DAYS = 92
_OF_DELIVERIES = ("deliveries", "succeeded", "failed", "tries")


class UsageOfDay(serializers.Serializer):  # type: ignore[type-arg]
    """What an account used on a day (UTC). Deliveries and tries count on the day of planning."""

    account = AccountKey()
    day = serializers.DateField()
    calls = serializers.IntegerField()
    deliveries = serializers.IntegerField()
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField()
    tries = serializers.IntegerField()


class Usage(serializers.Serializer):  # type: ignore[type-arg]
    """Days with something on them, by account."""

    since = serializers.DateField()
    until = serializers.DateField()
    data = UsageOfDay(many=True)  # type: ignore[assignment]


class UsageView(ApiView):
    """`GET /api/v1/usage`."""

    @extend_schema(
        operation_id="usage_retrieve",
        parameters=[
            ACCOUNT_PARAMETER,
            OpenApiParameter("since", dt.date, description="First day; 30 days ago unless given."),
            OpenApiParameter("until", dt.date, description="Last day; today unless given."),
        ],
        responses=Usage,
    )
    def get(self, request: Request) -> Response:
        """Count calls, deliveries and tries of each day."""
        refuse_unknown_parameters(request, {"account", "since", "until"})
        until = _day(request, "until", timezone.now().date())
        since = _day(request, "since", until - dt.timedelta(days=30))
        if not 0 <= (until - since).days < MOST_DAYS:
            raise invalid_parameter("since", f"At most {MOST_DAYS} days, in their order.")
        account_ids = named_account(request, Role.VIEWER)
        return Response({"since": since, "until": until, "data": used(account_ids, since, until)})


def used(account_ids: list[uuid.UUID], since: dt.date, until: dt.date) -> list[dict[str, Any]]:
    """Return a row for each account and day with something on it. Two queries."""
    start = dt.datetime.combine(since, dt.time(), dt.UTC)
    end = dt.datetime.combine(until + dt.timedelta(days=1), dt.time(), dt.UTC)
    within = {"account_id__in": account_ids, "created_at__gte": start, "created_at__lt": end}
    day = TruncDate("created_at", tzinfo=dt.UTC)
    found: dict[tuple[uuid.UUID, dt.date], dict[str, int]] = defaultdict(dict)
    calls = Call.objects.filter(**within).order_by().values_list("account_id", day)
    for account_id, date, count in calls.annotate(Count("account_id")):
        found[account_id, date]["calls"] = count
    sent = Delivery.objects.filter(**within).exclude(state=DeliveryState.SKIPPED)
    deliveries = sent.order_by().values_list("account_id", day)
    counted = deliveries.annotate(
        deliveries=Count("state"),
        succeeded=Count("state", filter=Q(state=DeliveryState.SUCCEEDED)),
        failed=Count("state", filter=Q(state__in=(DeliveryState.FAILED, DeliveryState.EXPIRED))),
        tries=Sum("attempt_count"),
    )
    for account_id, date, *counts in counted:
        found[account_id, date] |= zip(_OF_DELIVERIES, counts, strict=True)
    nothing = dict.fromkeys(("calls", *_OF_DELIVERIES), 0)
    return [
        {"account": AccountKey().to_representation(account_id), "day": date, **nothing, **counts}
        for (account_id, date), counts in sorted(found.items(), key=lambda pair: pair[0][::-1])
    ]


def _day(request: Request, name: str, default: dt.date) -> dt.date:
    text = request.query_params.get(name)
    if text is None:
        return default
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or not 1970 <= day.year < 2200:
        raise invalid_parameter(name, "A day of the years 1970 to 2199, as 2026-03-28.")
    return day
