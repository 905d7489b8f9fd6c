"""Hearing from Redis that something is due."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable

import redis.asyncio
from redis import RedisError

from apps.delivery.wake import CHANNEL

logger = logging.getLogger(__name__)

_RETRY_S = 1.0


@contextlib.asynccontextmanager
async def listening(redis_url: str, ring: Callable[[], None]) -> AsyncIterator[None]:
    """Call `ring` for every wake while the block runs.

    Without Redis nothing is lost: the caller looks by itself from time to time, and the
    subscription comes back with Redis. Entering waits for the first subscription, briefly.
    """
    subscribed = asyncio.Event()
    task = asyncio.create_task(_listen(redis_url, ring, subscribed))
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(subscribed.wait(), timeout=_RETRY_S)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _listen(redis_url: str, ring: Callable[[], None], subscribed: asyncio.Event) -> None:
    while True:
        client = redis.asyncio.Redis.from_url(redis_url)
        try:
            async with client.pubsub(ignore_subscribe_messages=True) as channel:
                await channel.subscribe(CHANNEL)
                subscribed.set()
                ring()
                async for _ in channel.listen():
                    ring()
        except (RedisError, OSError) as error:
            logger.warning("Redis is away, looking for due deliveries without it: %s", error)
        finally:
            await client.aclose()
        await asyncio.sleep(_RETRY_S)
