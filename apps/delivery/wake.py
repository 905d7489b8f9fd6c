"""Telling the sender that something is due.

A running drain listens on a Redis channel. If nobody listens, an RQ job that drains is queued.
None of this may lose anything: without Redis the sweep finds what is due.
"""

import time

import django_rq
import redis
from django.conf import settings
from rq import Queue

from apps.common.outages import warn
from apps.common.redis_client import impatient_redis

CHANNEL = "hookline:due"
# There while a drain claims; drains say so again and again, and it is forgotten soon after.
ATTENDED = "hookline:attended"
QUEUE = "delivery"
JOB = "apps.delivery.jobs.drain"
# After a failure, how long Redis is left alone, so that intake does not wait for it every time.
_COOL_OFF_S = 2.0
# How long a Redis that does not answer is waited for.
_PATIENCE_S = 1.0
_silent_until = 0.0


def wake() -> None:
    """Say that deliveries are due. Never raises: they are stored, and the sweep finds them."""
    global _silent_until
    if time.monotonic() < _silent_until:
        return
    try:
        if not impatient_redis(settings.REDIS_URL, _PATIENCE_S).publish(CHANNEL, b"1"):
            start_drain(delivery_queue())
    except redis.RedisError as error:
        _silent_until = time.monotonic() + _COOL_OFF_S
        warn("Redis can not be used, the sweep takes over", error)


def delivery_queue() -> Queue:
    """Return the queue over a connection that gives up soon: not for a worker."""
    return django_rq.get_queue(QUEUE, connection=impatient_redis(settings.REDIS_URL, _PATIENCE_S))


def call_help() -> None:
    """Have another worker drain too, if one is idle. Never raises: the sweep looks as well."""
    try:
        start_drain(delivery_queue())
    except redis.RedisError as error:
        warn("Redis can not be used, no other worker is called", error)


def start_drain(queue: Queue) -> None:
    """Queue a job that drains, unless one is waiting for a worker already."""
    if queue.count == 0:
        queue.enqueue(JOB, result_ttl=0, failure_ttl=86_400)
