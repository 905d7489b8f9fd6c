"""Finding a call by what people know of it."""

import datetime as dt
import re
import uuid

from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.calls.models import Call
from apps.common.ids import InvalidPublicId, decode_public_id

# Numbers and names are looked for among so many calls: no index finds a part of them.
MOST_LOOKED_AT = 5_000
_SHORTEST = 3
_NOT_DIALLED = re.compile(r"[\s().+-]+")
# Without its hyphens, a day may as well be a part of a number.
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def find_calls(calls: QuerySet[Call], typed: str) -> QuerySet[Call]:
    """Return the calls, newest first, that a person means.

    That is those of a day (`2026-03-28`, in the current time zone), the one with this id (the
    platform's or ours), and, among the newest 5,000, those whose numbers or caller's name have the
    text in them, if it has three characters or more. None for an empty text.
    """
    text = typed.replace("\0", "").strip()[:128]
    calls = calls.order_by("-created_at")
    if not text:
        return calls.none()
    if (day := _day(text)) is not None:
        start = timezone.make_aware(dt.datetime.combine(day, dt.time()))
        end = timezone.make_aware(dt.datetime.combine(day + dt.timedelta(days=1), dt.time()))
        return calls.filter(created_at__gte=start, created_at__lt=end)
    named = calls.filter(Q(external_id=text) | Q(pk=_key(text)))
    if len(text) < _SHORTEST or named.exists():
        return named
    newest = calls.values("pk")[:MOST_LOOKED_AT]
    part = Q(caller_name__icontains=text)
    if (digits := _NOT_DIALLED.sub("", text)).isdecimal() and digits.isascii():
        part |= Q(caller__contains=digits) | Q(tracking_number__contains=digits)
    return calls.filter(part, pk__in=newest)


def _day(text: str) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None
    return day if day and 1970 < day.year < 9999 else None


def _key(text: str) -> uuid.UUID | None:
    try:
        return decode_public_id(Call.ID_PREFIX, text)
    except InvalidPublicId:
        return None
