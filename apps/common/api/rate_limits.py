"""How many requests a key or person may make in a minute, counted in Redis.

Without Redis nothing is counted and everything passes: a limit keeps one client from crowding out
the others, and is no wall.
"""

import threading
import time
from dataclasses import dataclass
from typing import Any

import redis
from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from apps.common.access import Access
from apps.common.outages import warn
from apps.common.redis_client import impatient_redis

WINDOW_S = 60
_PATIENCE_S = 0.25
# After a failure, how long Redis is left alone, so that requests do not wait for it every time.
_COOL_OFF_S = 2.0
_silent_until = 0.0
# A process asks Redis for this share of a large limit at once, and counts that by itself: what is
# left of it when the window ends is all that can be lost.
_SHARE = 1_000
_MOST_SHARES = 1_000


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left of a limit, and in how many seconds it begins anew."""

    limit: int
    left: int
    reset_s: int

    @property
    def is_spent(self) -> bool:
        """Whether this request is one too many."""
        return self.left < 0

    @property
    def headers(self) -> dict[str, str]:
        """What responses say of it."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(self.left, 0)),
            "RateLimit-Reset": str(self.reset_s),
        }


class _Shares:
    """What this process has been given of limits and has not used up, by their name in Redis."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unused: dict[str, tuple[int, int]] = {}

    def take(self, name: str) -> int | None:
        """Use one request up; return how many are used, as far as is known. None without a share.

        That counts what others were given as used, and of our own share what is.
        """
        with self._lock:
            unused, given = self._unused.get(name, (0, 0))
            if not unused:
                return None
            self._unused[name] = (unused - 1, given)
            return given - unused + 1

    def keep(self, name: str, unused: int, given: int) -> None:
        """Keep what Redis has given to us just now, and in all."""
        with self._lock:
            if len(self._unused) >= _MOST_SHARES:
                self._unused.clear()
            ours, before = self._unused.get(name, (0, 0))
            self._unused[name] = (ours + unused, max(given, before))


_shares = _Shares()


class SenderRateLimit(BaseThrottle):
    """Counts the requests of a sender: events by INTAKE_RATE_LIMIT, all else by API_RATE_LIMIT."""

    quota: Quota | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the request; tell whether it may pass."""
        access: Access = request._request.access  # type: ignore[attr-defined]
        sender = access.key_id or access.user_id
        is_intake = getattr(view, "is_intake", False)
        limit = settings.INTAKE_RATE_LIMIT if is_intake else settings.API_RATE_LIMIT
        if sender is None or not limit:
            return True
        self.quota = spend(f"{'intake' if is_intake else 'api'}:{sender}", limit)
        request._request.quota = self.quota  # type: ignore[attr-defined]
        return self.quota is None or not self.quota.is_spent

    def wait(self) -> float | None:
        """Return the seconds until the limit begins anew."""
        return self.quota.reset_s if self.quota else None


def spend(name: str, limit: int, *, window_s: int = WINDOW_S) -> Quota | None:
    """Count one request under a name, and return what is left; None while Redis is away."""
    now = time.time()
    window = int(now // window_s)
    used = _count(f"hookline:rate:{name}:{window}", max(1, limit // _SHARE), 2 * window_s)
    if used is None:
        return None
    return Quota(limit, limit - used, max(1, round((window + 1) * window_s - now)))


def _count(key: str, share: int, kept_s: int) -> int | None:
    """Count one request, here or in Redis; return how many there were, None while Redis is away."""
    global _silent_until
    if (used := _shares.take(key)) is not None:
        return used
    if time.monotonic() < _silent_until:
        return None
    try:
        pipeline = impatient_redis(settings.REDIS_URL, _PATIENCE_S).pipeline(transaction=False)
        pipeline.incrby(key, share)
        pipeline.expire(key, kept_s)
        given, _ = pipeline.execute()
    except redis.RedisError as error:
        _silent_until = time.monotonic() + _COOL_OFF_S
        warn("Redis can not be used, no request is counted", error)
        return None
    if share > 1:
        _shares.keep(key, share - 1, given)
    return int(given) - share + 1


def quota_headers(request: Request | HttpRequest) -> dict[str, str]:
    """Return what a response says of its sender's limit; nothing where none was counted."""
    quota: Quota | None = getattr(getattr(request, "_request", request), "quota", None)
    return quota.headers if quota else {}
