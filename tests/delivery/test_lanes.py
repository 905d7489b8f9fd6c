"""Lanes: how much is claimed for a webhook, by how fast its receiver has been."""

import uuid

from apps.delivery.engine.claims import Claimed
from apps.delivery.engine.lanes import REFILL, Lane, Lanes

WEBHOOK = uuid.UUID(int=7)
CAPACITY = 2048


def claimed(webhook_id: uuid.UUID = WEBHOOK) -> Claimed:
    nobody = uuid.UUID(int=0)
    return Claimed(
        id=uuid.uuid4(),
        account_id=nobody,
        webhook_id=webhook_id,
        template_version_id=nobody,
        call_id=nobody,
        event_id=nobody,
        attempt_count=0,
        lost_count=0,
        revision=1,
        expires_at=None,
        changed_paths=None,
        last_error="",
        claim=nobody,
        deadline=0.0,
    )


def fill(lanes: Lanes, count: int) -> Lane:
    """Bring so many to the lane of the one webhook, as a claim does."""
    for _ in range(count):
        lane = lanes.add(claimed())
    return lane


class TestALane:
    def test_grows_while_its_receiver_is_done_with_all_of_it(self) -> None:
        lanes = Lanes()
        asked = REFILL
        for _ in range(3):
            lane = fill(lanes, asked)
            lane.under_way = 1
            lane.queue.clear()
            (asked,) = lanes.ask(CAPACITY).values()

        assert asked == 8 * REFILL

    def test_does_not_grow_when_less_was_due_than_asked_for(self) -> None:
        lanes = Lanes()
        lane = fill(lanes, REFILL - 1)
        lane.under_way = 1
        lane.queue.clear()

        assert lanes.ask(CAPACITY) == {WEBHOOK: REFILL}

    def test_gets_no_more_while_its_receiver_hangs(self) -> None:
        lanes = Lanes()
        lane = fill(lanes, REFILL)
        lane.under_way = lane.concurrency

        assert lanes.ask(CAPACITY) == {WEBHOOK: 0}

    def test_shrinks_to_its_least_share_when_its_receiver_is_slow_again(self) -> None:
        lanes = Lanes()
        lane = fill(lanes, 300)
        lane.share = 512
        for _ in range(5):
            lanes.ask(CAPACITY)

        assert lane.share == REFILL

    def test_does_not_shrink_right_after_a_claim_that_filled_it(self) -> None:
        lanes = Lanes()
        lane = lanes.add(claimed())
        lane.queue.clear()
        lane.under_way = 1
        shares = []
        for _ in range(3):
            (asked,) = lanes.ask(CAPACITY).values()
            shares.append(asked)
            fill(lanes, asked)
            # The next claim follows at once, and finds it full.
            assert lanes.ask(CAPACITY) == {WEBHOOK: 0}
            lane.queue.clear()

        assert shares == [REFILL, 2 * REFILL, 4 * REFILL]

    def test_takes_no_more_than_its_part_of_half_of_what_a_worker_holds(self) -> None:
        lanes = Lanes()
        for number in range(10):
            lane = lanes.add(claimed(uuid.UUID(int=number)))
            lane.share, lane.under_way = 10_000, 1
            lane.queue.clear()

        assert sum(lanes.ask(CAPACITY).values()) <= CAPACITY // 2

    def test_is_dropped_when_it_is_idle_for_two_claims(self) -> None:
        lanes = Lanes()
        fill(lanes, 1).queue.clear()

        assert lanes.ask(CAPACITY) == {WEBHOOK: REFILL}
        assert lanes.ask(CAPACITY) == {}
