"""Hearing from Redis that something is due, and saying there that it is looked after."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

import redis.asyncio
from redis import RedisError

from apps.common.outages import warn
from apps.delivery.wake import ATTENDED, CHANNEL

_RETRY_S = 1.0
# How often a drain says that it claims, and for how long that is believed.
_SAY_S = 5.0
_BELIEVED_S = 15


@contextlib.asynccontextmanager
async def listening(
    redis_url: str, ring: Callable[[], None], is_claiming: Callable[[], bool]
) -> AsyncIterator[None]:
    """Call `ring` for every wake while the block runs, and say so for as long as `is_claiming`.

    Without Redis nothing is lost: the caller looks by itself from time to time, and the
    subscription comes back with Redis. Entering waits for the first subscription, briefly.
    """
    subscribed = asyncio.Event()
    task = asyncio.create_task(_listen(redis_url, ring, is_claiming, subscribed))
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(subscribed.wait(), timeout=_RETRY_S)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _listen(
    redis_url: str,
    ring: Callable[[], None],
    is_claiming: Callable[[], bool],
    subscribed: asyncio.Event,
) -> None:
    while True:
        client = redis.asyncio.Redis.from_url(redis_url)
        try:
            async with client.pubsub(ignore_subscribe_messages=True) as channel:
                await channel.subscribe(CHANNEL)
                said_at_s = float("-inf")
                ring()
                while True:
                    if time.monotonic() - said_at_s >= _SAY_S and is_claiming():
                        said_at_s = time.monotonic()
                        await client.set(ATTENDED, b"1", ex=_BELIEVED_S)
                    subscribed.set()
                    if await channel.get_message(timeout=_SAY_S):
                        ring()
        except (RedisError, OSError) as error:
            warn("Redis is away, what is due is looked for without it", error)
        finally:
            await client.aclose()
        await asyncio.sleep(_RETRY_S)
