"""Redis for those who do not wait for it."""

from functools import lru_cache

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry


@lru_cache(maxsize=4)
def impatient_redis(url: str, patience_s: float) -> redis.Redis:
    """Return a kept connection that gives up after so many seconds.

    Not for a worker, which waits for jobs on its connection.
    """
    return redis.Redis.from_url(
        url,
        socket_timeout=patience_s,
        socket_connect_timeout=patience_s,
        # A kept connection may be one to a Redis of before: try once more, at once.
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
    )
