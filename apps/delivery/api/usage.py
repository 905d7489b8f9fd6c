"""How much was used: calls, deliveries and tries by day."""

import datetime as dt
import uuid
from typing import Any

from django.db import connection
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common.access import Role
from apps.common.api.fields import AccountKey
from apps.common.api.filters import invalid_parameter
from apps.common.api.parameters import named_account, refuse_unknown_parameters
from apps.common.api.schema import ACCOUNT_PARAMETER
from apps.common.api.views import ApiView

MOST_DAYS = 92
_COUNTED = ("calls", "deliveries", "succeeded", "failed", "tries")
# Day by day, so that each is a range of an index that has all that is counted, and no row of
# millions is asked for its day.
_USED = """
SELECT day.date, account.id, called.calls, sent.*
FROM unnest(%(accounts)s::uuid[]) AS account (id)
CROSS JOIN (
  SELECT day::date AS date, day AT TIME ZONE 'UTC' AS begin,
    (day + interval '1 day') AT TIME ZONE 'UTC' AS until
  FROM generate_series(%(since)s::timestamp, %(until)s::timestamp, interval '1 day') AS day
) AS day
CROSS JOIN LATERAL (
  SELECT count(*) AS calls FROM calls_call
  WHERE account_id = account.id AND created_at >= day.begin AND created_at < day.until
) AS called
CROSS JOIN LATERAL (
  SELECT count(*) AS deliveries,
    count(*) FILTER (WHERE state = 'succeeded') AS succeeded,
    count(*) FILTER (WHERE state IN ('failed', 'expired')) AS failed,
    coalesce(sum(attempt_count), 0) AS tries
  FROM delivery_delivery
  WHERE account_id = account.id AND created_at >= day.begin AND created_at < day.until
    AND state <> 'skipped'
) AS sent
WHERE called.calls > 0 OR sent.deliveries > 0
ORDER BY day.date, account.id
"""


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
            OpenApiParameter(
                "since", dt.date, description="First day (UTC); 30 days ago unless given."
            ),
            OpenApiParameter("until", dt.date, description="Last day (UTC); today unless given."),
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
    """Return a row for each account and day with something on it. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_USED, {"accounts": account_ids, "since": since, "until": until})
        rows = cursor.fetchall()
    return [
        {"account": AccountKey().to_representation(account_id), "day": day}
        | dict(zip(_COUNTED, counts, strict=True))
        for day, account_id, *counts in rows
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
