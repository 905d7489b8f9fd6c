"""Telling the sender that something is due.

A running drain listens on a Redis channel. If nobody listens, an RQ job that drains is queued.
None of this may lose anything: without Redis the sweep finds what is due.
"""

import logging
import time

import django_rq
import redis
from rq import Queue

logger = logging.getLogger(__name__)

CHANNEL = "hookline:due"
QUEUE = "delivery"
JOB = "apps.delivery.jobs.drain"
# After a failure, how long Redis is left alone, so that intake does not wait for it every time.
_COOL_OFF_S = 2.0
_silent_until = 0.0


def wake() -> None:
    """Say that deliveries are due. Never raises: they are stored, and the sweep finds them."""
    global _silent_until
    if time.monotonic() < _silent_until:
        return
    try:
        queue = django_rq.get_queue(QUEUE)
        if not queue.connection.publish(CHANNEL, b"1"):
            start_drain(queue)
    except redis.RedisError as error:
        _silent_until = time.monotonic() + _COOL_OFF_S
        logger.warning("Redis can not be reached, the sweep takes over: %s", error)


def start_drain(queue: Queue) -> None:
    """Queue a job that drains, unless one is waiting for a worker already."""
    if queue.count == 0:
        queue.enqueue(JOB, result_ttl=0, failure_ttl=86_400)
