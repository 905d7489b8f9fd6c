"""One lane a webhook: what this worker holds for it, and how much of that is under way."""

import uuid
from collections import deque
from dataclasses import dataclass, field

from apps.delivery.engine.claims import Claimed
from apps.webhooks.models import DEFAULT_CONCURRENCY

# Requests to one webhook at the same time, unless it says otherwise.
CONCURRENCY = DEFAULT_CONCURRENCY
# A lane is claimed for when it holds less than LOW, and then given up to REFILL more: enough to
# keep a fast receiver busy until the next claim, little enough that a hanging one holds few.
LOW = 16
REFILL = 48


@dataclass(slots=True)
class Lane:
    """Deliveries of one webhook that wait their turn in this worker."""

    webhook_id: uuid.UUID
    queue: deque[Claimed] = field(default_factory=deque)
    under_way: int = 0
    concurrency: int = CONCURRENCY

    @property
    def is_full(self) -> bool:
        """Tell whether nothing more should be claimed for this webhook now."""
        return len(self.queue) >= LOW or (self.is_busy and bool(self.queue))

    @property
    def is_busy(self) -> bool:
        """Tell whether as much is under way as may be."""
        return self.under_way >= self.concurrency


class Lanes:
    """All lanes that have something."""

    def __init__(self) -> None:
        self._lanes: dict[uuid.UUID, Lane] = {}

    def add(self, held: Claimed, concurrency: int = CONCURRENCY) -> Lane:
        """Put a delivery at the end of its lane; that many may be under way from now on."""
        lane = self._lanes.get(held.webhook_id)
        if lane is None:
            lane = self._lanes[held.webhook_id] = Lane(held.webhook_id)
        lane.queue.append(held)
        lane.concurrency = concurrency
        return lane

    def full(self) -> list[uuid.UUID]:
        """Return the webhooks to claim nothing for."""
        return [key for key, lane in self._lanes.items() if lane.is_full]

    def forget_idle(self, lane: Lane) -> None:
        """Drop a lane that has nothing left."""
        if not lane.queue and not lane.under_way:
            self._lanes.pop(lane.webhook_id, None)

    def take(self, webhook_id: uuid.UUID) -> list[Claimed]:
        """Take out what has not begun for one webhook."""
        lane = self._lanes.get(webhook_id)
        waiting = list(lane.queue) if lane else []
        if lane:
            lane.queue.clear()
            self.forget_idle(lane)
        return waiting

    def empty(self) -> list[Claimed]:
        """Take out everything that has not begun, as when stopping."""
        waiting = [held for lane in self._lanes.values() for held in lane.queue]
        for lane in self._lanes.values():
            lane.queue.clear()
        return waiting
