"""Requests that bring events of the same calls at the same moment."""

import threading
from collections.abc import Callable, Sequence

import pytest
from django.db import close_old_connections, connection

from apps.calls.events import Timing
from apps.calls.models import Call, CallEvent
from apps.delivery.models import Delivery
from apps.intake.services import Receipt
from tests.builders import World, attach, event, make_webhook
from tests.calls.test_services import at
from tests.delivery.sending import take


@pytest.mark.django_db(transaction=True)
class TestAtTheSameTime:
    """Requests that bring events of the same calls, on connections of their own."""

    def test_the_first_events_of_a_call_make_one_call(self, world: World) -> None:
        attach(make_webhook(world, "http://127.0.0.1/"))
        kinds = ["call.started", "call.ringing", "call.answered", "call.option_reached"] * 2
        together([lambda kind=kind: take(world, event(world, type=kind)) for kind in kinds])

        call = Call.objects.get()
        assert call.events.count() == len(kinds)
        assert Delivery.objects.filter(timing=Timing.BEGIN).count() == 1

    def test_the_same_event_is_stored_once(self, world: World) -> None:
        attach(make_webhook(world, "http://127.0.0.1/"))
        body = event(world)
        receipts = together([lambda: take(world, body)] * 6)

        fresh = [each for each in receipts if not each.accepted[0][1].is_duplicate]
        assert len(fresh) == CallEvent.objects.count() == Delivery.objects.count() == 1

    def test_an_event_id_of_two_calls_is_stored_once(self, world: World) -> None:
        names = [f"c{number}" for number in range(6)]
        together(
            [lambda name=name: take(world, event(world, id="e", call_id=name)) for name in names]
        )

        assert CallEvent.objects.count() == Call.objects.count() == 1

    def test_a_call_ends_once(self, world: World) -> None:
        attach(make_webhook(world, "http://127.0.0.1/"), Timing.END)
        take(world, event(world))
        together([lambda: take(world, event(world, type="call.ended"))] * 6)

        assert Delivery.objects.filter(timing=Timing.END).count() == 1

    def test_batches_that_share_calls_in_another_order_are_all_taken(self, world: World) -> None:
        attach(make_webhook(world, "http://127.0.0.1/"))
        names = [f"c{number}" for number in range(40)]
        orders = [names, names[::-1], names[20:] + names[:20], names[::-2] + names[::2]]
        for moment, kind in enumerate(("call.started", "call.answered", "call.ended")):
            together(
                [
                    lambda order=order, kind=kind, moment=moment: take(
                        world,
                        *(
                            event(world, call_id=name, type=kind, occurred_at=at(moment))
                            for name in order
                        ),
                    )
                    for order in orders
                ]
            )

        assert Call.objects.count() == 40
        assert CallEvent.objects.count() == 3 * 4 * 40
        assert Delivery.objects.count() == 40


def together(works: Sequence[Callable[[], Receipt]]) -> list[Receipt]:
    """Do the works at the same moment, each in a thread of its own; raise what one raises."""
    barrier = threading.Barrier(len(works))
    receipts: list[Receipt] = []
    failures: list[BaseException] = []

    def run(work: Callable[[], Receipt]) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(20)
            receipts.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again by the test's thread
            failures.append(error)
        finally:
            close_old_connections()
            connection.close()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if failures:
        raise failures[0]
    return receipts
