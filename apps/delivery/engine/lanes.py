"""One lane a webhook: what this worker holds for it, and how much of that is under way."""

import uuid
from collections import deque
from dataclasses import dataclass, field

from apps.delivery.engine.claims import Claimed
from apps.webhooks.models import DEFAULT_CONCURRENCY

# Requests to one webhook at the same time, unless it says otherwise.
CONCURRENCY = DEFAULT_CONCURRENCY
# A lane gets at least so many times what may be under way: enough to keep a fast receiver busy
# until the next claim, little enough that a hanging one holds few.
ROUNDS = 3
# What is claimed for a webhook that has no lane yet.
REFILL = ROUNDS * CONCURRENCY


@dataclass(slots=True)
class Lane:
    """Deliveries of one webhook that wait their turn in this worker.

    `share` is how many it may hold. It grows while a claim brings all that was asked for and a
    later one finds nothing left of it, and shrinks once two in a row find enough. `times_emptied`
    says how often all that waited was taken out, to be sent later.
    """

    webhook_id: uuid.UUID
    queue: deque[Claimed] = field(default_factory=deque)
    under_way: int = 0
    concurrency: int = CONCURRENCY
    share: int = REFILL
    asked: int = REFILL
    brought: int = 0
    had_enough: bool = False
    times_emptied: int = 0

    @property
    def is_busy(self) -> bool:
        """Tell whether as much is under way as may be."""
        return self.under_way >= self.concurrency

    @property
    def is_idle(self) -> bool:
        """Tell whether there is nothing in it and nothing under way."""
        return not self.queue and not self.under_way

    @property
    def is_short_handed(self) -> bool:
        """Tell whether more could be under way."""
        return bool(self.queue) and not self.is_busy

    @property
    def is_low(self) -> bool:
        """Tell whether more should be claimed for it."""
        return 2 * len(self.queue) < self.share

    def ask(self, most: int) -> int:
        """Return how many more to claim now, so that it holds `most` or its least share."""
        if not self.queue and 0 < self.asked <= self.brought:
            self.share *= 2
        elif self.had_enough and not self.is_low:
            self.share //= 2
        self.had_enough = not self.is_low
        self.share = max(ROUNDS * self.concurrency, min(self.share, most))
        if not self.is_low:
            return 0
        self.asked = self.share - len(self.queue)
        self.brought = 0
        return self.asked


class Lanes:
    """The lanes that have something, or had before the claim before last."""

    def __init__(self) -> None:
        self._lanes: dict[uuid.UUID, Lane] = {}
        self._were_idle: set[uuid.UUID] = set()

    def add(self, held: Claimed, concurrency: int = CONCURRENCY) -> Lane:
        """Put a delivery at the end of its lane; that many may be under way from now on."""
        lane = self._lanes.get(held.webhook_id)
        if lane is None:
            lane = self._lanes[held.webhook_id] = Lane(held.webhook_id)
        lane.queue.append(held)
        lane.brought += 1
        lane.concurrency = concurrency
        return lane

    def ask(self, capacity: int) -> dict[uuid.UUID, int]:
        """Return how many to claim for each webhook that has a lane; 0 for those that have enough.

        All together they grow to half of what this worker may hold. Lanes that are idle for the
        second time are dropped.
        """
        idle = {key for key, lane in self._lanes.items() if lane.is_idle}
        for key in idle & self._were_idle:
            del self._lanes[key]
        self._were_idle = idle
        most = capacity // 2 // max(1, len(self._lanes))
        return {key: lane.ask(most) for key, lane in self._lanes.items()}

    def waiting(self) -> int:
        """Return how many wait their turn, in all of them."""
        return sum(len(lane.queue) for lane in self._lanes.values())

    def in_use(self) -> set[uuid.UUID]:
        """Return the webhooks that have something, which waits or is under way."""
        return {key for key, lane in self._lanes.items() if not lane.is_idle}

    def short_handed(self) -> list[Lane]:
        """Return the lanes of which more could be under way."""
        return [lane for lane in self._lanes.values() if lane.is_short_handed]

    def versions(self) -> set[uuid.UUID]:
        """Return the versions of templates that what has not begun is made from."""
        return {held.template_version_id for lane in self._lanes.values() for held in lane.queue}

    def is_idle(self, webhook_id: uuid.UUID) -> bool:
        """Tell whether there is nothing of one webhook, neither waiting nor under way."""
        lane = self._lanes.get(webhook_id)
        return lane is None or lane.is_idle

    def take(self, webhook_id: uuid.UUID) -> list[Claimed]:
        """Take out what has not begun for one webhook."""
        lane = self._lanes.get(webhook_id)
        if lane is None:
            return []
        waiting = list(lane.queue)
        lane.queue.clear()
        lane.times_emptied += 1
        return waiting

    def empty(self) -> list[Claimed]:
        """Take out everything that has not begun, as when stopping."""
        return [held for key in self._lanes for held in self.take(key)]
