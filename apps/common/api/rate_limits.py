"""How many requests a key or person may make in a minute, counted in Redis.

Without Redis nothing is counted and everything passes: a limit keeps one client from crowding out
the others, and is no wall.
"""

import logging
import time
from dataclasses import dataclass
from typing import Any

import redis
from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from apps.common.access import Access
from apps.common.redis_client import impatient_redis

logger = logging.getLogger(__name__)

WINDOW_S = 60
_PATIENCE_S = 0.25
# After a failure, how long Redis is left alone, so that requests do not wait for it every time.
_COOL_OFF_S = 2.0
_silent_until = 0.0


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
    global _silent_until
    if time.monotonic() < _silent_until:
        return None
    now = time.time()
    window = int(now // window_s)
    key = f"hookline:rate:{name}:{window}"
    try:
        pipeline = impatient_redis(settings.REDIS_URL, _PATIENCE_S).pipeline(transaction=False)
        pipeline.incr(key)
        pipeline.expire(key, 2 * window_s)
        used, _ = pipeline.execute()
    except redis.RedisError as error:
        _silent_until = time.monotonic() + _COOL_OFF_S
        logger.warning("Redis can not be reached, no request is counted: %s", error)
        return None
    return Quota(limit, limit - used, max(1, round((window + 1) * window_s - now)))


def quota_headers(request: Request | HttpRequest) -> dict[str, str]:
    """Return what a response says of its sender's limit; nothing where none was counted."""
    quota: Quota | None = getattr(getattr(request, "_request", request), "quota", None)
    return quota.headers if quota else {}
