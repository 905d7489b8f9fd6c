"""Deliveries that wait for something of their call, are skipped, or tell of changes only."""

import datetime as dt
import itertools
import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.access import access_of_key
from apps.calls.events import Timing
from apps.campaigns.models import Attachment
from apps.common.tenancy import tenant_scope
from apps.delivery.engine.expiry import EXPIRE
from apps.delivery.models import CallerTurn, Delivery
from apps.delivery.services import purge_turns, resend
from apps.delivery.sweep import Sweep
from apps.webhooks.services import save_template
from tests.builders import World, attach, event, make_template, make_webhook
from tests.delivery.receiver import Receiver
from tests.delivery.sending import drain, fall_due, states, take

ANSWERED = {"field": "answered", "op": "is", "value": True}
RECORDING = {"url": "https://audio.example.com/1.mp3", "duration_s": 29}


def at(second: int, kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "occurred_at": f"2026-03-28T00:05:{second:02}Z", **fields}


def attached(world: World, url: str = "http://127.0.0.1/", **fields: Any) -> Attachment:
    timing = fields.pop("timing", Timing.END)
    return attach(make_webhook(world, url), timing, **fields)


def ended(world: World, **fields: Any) -> dict[str, Any]:
    return event(world, **at(36, "call.ended", **fields))


@pytest.mark.django_db
class TestConditions:
    def test_skip_what_they_do_not_hold_of(self, world: World) -> None:
        attached(world, conditions=ANSWERED)
        take(world, ended(world, status="busy"), ended(world, call_id="c2", status="answered"))

        assert states() == ["skipped", "pending"]
        skipped = Delivery.objects.get(state="skipped")
        assert skipped.last_error == "Skipped: It was not answered."
        assert skipped.finished_at is not None
        assert drain_nothing()

    def test_leave_it_to_another_attachment_of_the_webhook(self, world: World) -> None:
        first = attached(world, conditions=ANSWERED)
        second = attach(first.webhook, Timing.END, campaign=world.campaign)
        take(world, ended(world, status="busy"))
        assert Delivery.objects.get().attachment_key == second.pk
        assert states() == ["pending"]

    def test_that_can_not_be_read_stop_no_event(self, world: World) -> None:
        attached(world, conditions={"nonsense": 1})
        take(world, ended(world))
        assert "can not be read" in Delivery.objects.get().last_error

    def test_know_the_hours_of_the_location(self, world: World) -> None:
        world.location.time_zone = "America/New_York"
        world.location.business_hours = {"fri": [[1200, 1210]]}
        world.location.save()
        attached(world, conditions={"field": "business_hours", "op": "is", "value": True})
        early = {"started_at": "2026-03-27T23:59:00Z"}
        take(world, ended(world), ended(world, call_id="c2", **early))
        assert states() == ["pending", "skipped"]

    def test_hold_nobody_up(self, world: World) -> None:
        """A skipped begin is finished: the end does not wait for it."""
        hours = {"field": "business_hours", "op": "is", "value": True}
        first = attached(world, timing=Timing.BEGIN, conditions=hours)
        attach(first.webhook, Timing.END)
        take(world, event(world, **at(0, "call.started")), ended(world))
        assert states() == ["skipped", "pending"]

    def test_do_not_keep_anybody_from_sending_it_again(self, world: World) -> None:
        attached(world, conditions=ANSWERED)
        take(world, ended(world, status="busy"))
        (again,) = resend(deliveries=list(Delivery.objects.all()))
        assert again.state == "pending"


def drain_nothing() -> bool:
    """Tell whether nothing that is skipped is claimed."""
    with connection.cursor() as cursor:
        cursor.execute(EXPIRE)
        return not cursor.fetchall()


@pytest.mark.django_db
class TestOneForEachCaller:
    def test_sends_the_first_and_skips_the_others(self, world: World) -> None:
        attached(world, once_per_caller_h=24)
        take(world, ended(world), ended(world, call_id="c2"))
        take(
            world,
            ended(world, call_id="c3"),
            ended(world, call_id="c4", **{"from": "+15559990000"}),
        )
        assert states() == ["pending", "skipped", "skipped", "pending"]
        assert "less than 24 h before" in Delivery.objects.filter(state="skipped")[0].last_error

    def test_sends_again_when_the_time_is_over(self, world: World) -> None:
        attached(world, once_per_caller_h=2)
        for call_id, hour in (("c1", 1), ("c2", 2), ("c3", 3), ("c4", 4)):
            moment = f"2026-03-28T0{hour}:00:00Z"
            take(world, event(world, type="call.ended", call_id=call_id, occurred_at=moment))
        assert states() == ["pending", "skipped", "pending", "skipped"]

    def test_does_not_count_withheld_numbers(self, world: World) -> None:
        attached(world, once_per_caller_h=24)
        withheld = {"from": "anonymous"}
        take(world, ended(world, **withheld), ended(world, call_id="c2", **withheld))
        assert states() == ["pending", "pending"]

    def test_counts_by_attachment(self, world: World) -> None:
        for _ in range(2):
            attached(world, once_per_caller_h=24)
        take(world, ended(world))
        assert states() == ["pending", "pending"]

    def test_gives_the_turn_of_a_skipped_one_back(self, world: World) -> None:
        attached(world, once_per_caller_h=24, wait_for="recording", wait_min=5, wait_skips=True)
        take(world, ended(world))
        wait_is_over()
        assert states() == ["skipped"]
        assert not CallerTurn.objects.exists()
        take(world, ended(world, call_id="c2"))
        assert states() == ["skipped", "pending"]

    def test_forgets_turns_that_hold_nobody_back(self, world: World) -> None:
        attached(world, once_per_caller_h=24)
        take(world, ended(world))
        assert purge_turns(dt.datetime(2026, 3, 29, tzinfo=dt.UTC)) == 0
        assert purge_turns(timezone.now()) == 1


def wait_is_over() -> None:
    """Let the time of every wait be over, as the sweep finds it."""
    for delivery in Delivery.objects.filter(wait_until__isnull=False):
        # Long past: the clock of the database stands still within a transaction.
        past = timezone.now() - dt.timedelta(hours=1)
        delivery.wait_until = past
        delivery.expires_at = past if delivery.expires_at else None
        delivery.next_attempt_at = past if delivery.next_attempt_at else None
        delivery.save()
    with connection.cursor() as cursor:
        cursor.execute(EXPIRE)


@pytest.mark.django_db
class TestWaiting:
    def test_is_pending_until_it_comes(self, world: World) -> None:
        attached(world, wait_for="recording", wait_min=10)
        before = timezone.now()
        take(world, ended(world))
        held = Delivery.objects.get()
        assert held.state == "pending"
        assert held.is_held
        assert held.next_attempt_at == held.wait_until
        assert held.wait_until is not None
        assert dt.timedelta(minutes=9) < held.wait_until - before < dt.timedelta(minutes=11)
        assert held.remark.startswith("It waits for the recording until")

        take(world, event(world, **at(50, "recording.ready", recording=RECORDING)))
        held.refresh_from_db()
        assert not held.is_held
        assert held.next_attempt_at is not None
        assert held.next_attempt_at <= timezone.now()
        assert held.content_event is not None
        assert held.content_event.snapshot["recording"] == RECORDING
        assert held.remark == "It waited for the recording."

    def test_is_for_nothing_where_it_has_come(self, world: World) -> None:
        attached(world, wait_for="recording", wait_min=10)
        take(world, ended(world, recording=RECORDING))
        assert not Delivery.objects.get().is_held

    def test_is_for_nothing_where_it_came_earlier_than_the_end(self, world: World) -> None:
        attached(world, wait_for="recording", wait_min=10)
        take(world, event(world, **at(50, "recording.ready", recording=RECORDING)))
        take(world, ended(world))
        delivery = Delivery.objects.get()
        assert not delivery.is_held
        assert delivery.content_event is not None
        assert delivery.content_event.snapshot["recording"] == RECORDING

    def test_is_not_ended_by_something_else(self, world: World) -> None:
        attached(world, wait_for="transcript", wait_min=10)
        take(world, ended(world))
        take(world, event(world, **at(50, "recording.ready", recording=RECORDING)))
        take(world, ended(world, call_id="c2", transcript="Hello."))
        assert [each.is_held for each in Delivery.objects.order_by("pk")] == [True, False]

    def test_holds_later_ones_of_the_line(self, world: World) -> None:
        first = attached(world, wait_for="recording", wait_min=10)
        attach(first.webhook, Timing.UPDATED)
        take(world, ended(world))
        take(world, event(world, **at(40, "call.updated", custom={"a": 1})))
        Sweep().run_once()
        assert states() == ["pending", "waiting"]
        assert Delivery.objects.order_by("pk")[0].is_held

    def test_begins_when_its_turn_comes(self, world: World) -> None:
        first = attached(world, wait_for="recording", wait_min=10)
        attach(first.webhook, Timing.BEGIN)
        take(world, event(world, **at(0, "call.started")), ended(world))
        assert states() == ["pending", "waiting"]
        Delivery.objects.filter(timing="begin").update(state="failed")
        Sweep().run_once()
        end = Delivery.objects.get(timing="end")
        assert end.state == "pending"
        assert end.is_held
        assert end.next_attempt_at == end.wait_until

    def test_ends_in_a_skip_where_that_is_wanted(self, world: World) -> None:
        attached(world, wait_for="recording", wait_min=10, wait_skips=True)
        take(world, ended(world))
        assert "and then is skipped." in Delivery.objects.get().remark
        wait_is_over()
        assert states() == ["skipped"]
        assert Delivery.objects.get().remark == "Skipped: the recording did not come in time."

    def test_that_ended_in_time_expires_as_it_was_told(self, world: World) -> None:
        attached(world, wait_for="recording", wait_min=5, wait_skips=True, not_later_than_min=60)
        take(world, ended(world))
        take(world, event(world, **at(50, "recording.ready", recording=RECORDING)))
        delivery = Delivery.objects.get()
        assert delivery.expires_at is not None
        assert delivery.expires_at - delivery.created_at == dt.timedelta(minutes=60)

    def test_works_behind_the_wall(self, world: World) -> None:
        attached(world, wait_for="recording", wait_min=5, once_per_caller_h=1)
        from_wall = access_of_key(world.key)
        with tenant_scope(from_wall):
            take(world, ended(world))
        with tenant_scope(from_wall):
            take(world, event(world, **at(50, "recording.ready", recording=RECORDING)))
        assert Delivery.objects.get().content_event is not None


@pytest.mark.django_db
class TestOnlyWhatChanged:
    def updated(self, world: World, second: int, **fields: Any) -> None:
        take(world, event(world, **at(second, "call.updated", **fields)))

    @pytest.fixture
    def attachment(self, world: World) -> Attachment:
        return attached(world, timing=Timing.UPDATED, only_changes=True)

    def test_sends_everything_the_first_time(self, world: World, attachment: Attachment) -> None:
        self.updated(world, 1, caller={"full_name": "Ann"})
        assert Delivery.objects.get().changed_paths is None

    def test_sends_what_is_new_to_the_webhook(self, world: World, attachment: Attachment) -> None:
        self.updated(world, 1, caller={"full_name": "Ann"})
        self.updated(world, 2, caller={"full_name": "Anna"})
        assert Delivery.objects.order_by("pk")[1].changed_paths == ["$.name"]

    def test_skips_where_nothing_is(self, world: World, attachment: Attachment) -> None:
        self.updated(world, 1, caller={"full_name": "Ann"})
        self.updated(world, 2, custom={"unsent": 1})
        second = Delivery.objects.order_by("pk")[1]
        assert second.last_error == "Skipped: Nothing that it sends has changed."

    def test_counts_what_was_told_at_other_moments(self, world: World) -> None:
        first = attached(world)
        attach(first.webhook, Timing.UPDATED, only_changes=True)
        take(world, ended(world, caller={"full_name": "Ann"}))
        self.updated(world, 40, caller={"full_name": "Ann"})
        assert states() == ["pending", "skipped"]

    def test_does_not_count_what_did_not_arrive(self, world: World, attachment: Attachment) -> None:
        self.updated(world, 1, caller={"full_name": "Ann"})
        Delivery.objects.update(state="failed")
        self.updated(world, 2, caller={"full_name": "Ann"})
        assert Delivery.objects.order_by("pk")[1].changed_paths is None

    def test_knows_what_a_batch_told_before(self, world: World, attachment: Attachment) -> None:
        take(
            world,
            event(world, **at(1, "call.updated", caller={"full_name": "Ann"})),
            event(world, **at(2, "call.updated", caller={"full_name": "Ann"})),
            event(world, **at(3, "call.updated", caller={"full_name": "Bob"})),
        )
        told = [each.changed_paths for each in Delivery.objects.order_by("event__occurred_at")]
        assert told == [None, None, ["$.name"]]
        assert states().count("skipped") == 1

    def test_does_not_count_what_a_batch_left_out_as_its_caller_had_a_turn(
        self, world: World
    ) -> None:
        first = attached(world, once_per_caller_h=24)
        attach(first.webhook, Timing.UPDATED, only_changes=True)
        take(world, ended(world))
        other = {"call_id": "c2", "caller": {"full_name": "Ann"}}
        take(world, ended(world, **other), event(world, **at(40, "call.updated", **other)))
        assert states() == ["pending", "skipped", "pending"]
        assert Delivery.objects.order_by("pk")[2].changed_paths is None


@pytest.mark.django_db
class TestPlanning:
    def test_takes_as_many_queries_for_many_attachments(self, world: World) -> None:
        callers = (f"+1777{number:07}" for number in itertools.count())

        def planned(prefix: str) -> int:
            bodies = [
                event(
                    world,
                    call_id=f"{prefix}{number}",
                    **at(36, "call.ended", **{"from": next(callers)}),
                )
                for number in range(4)
            ]
            with CaptureQueriesContext(connection) as queries:
                take(world, *bodies)
            return len(queries)

        full = {
            "conditions": {"field": "repeat_caller", "op": "is", "value": False},
            "once_per_caller_h": 1,
            "wait_for": "recording",
            "wait_min": 5,
        }
        attached(world, **full)
        attached(world, timing=Timing.UPDATED, only_changes=True)
        few = planned("a")
        for _ in range(10):
            attached(world, **full)
        assert planned("b") == few


@pytest.mark.django_db(transaction=True)
class TestTheReceiver:
    def test_gets_the_recording_that_was_waited_for(self, world: World, receiver: Receiver) -> None:
        template = make_template(world.account, "Rec", '{"rec": "%rec_audiourl%"}')
        webhook = make_webhook(world, receiver.url(), template=template)
        attach(webhook, Timing.END, wait_for="recording", wait_min=10)
        take(world, ended(world))
        drain()
        assert receiver.requests == []

        take(world, event(world, **at(50, "recording.ready", recording=RECORDING)))
        drain()
        (request,) = receiver.requests
        assert json.loads(request.body) == {"rec": RECORDING["url"]}

    def test_gets_it_without_when_the_time_is_over(self, world: World, receiver: Receiver) -> None:
        webhook = make_webhook(world, receiver.url())
        attach(webhook, Timing.END, wait_for="recording", wait_min=10)
        take(world, ended(world))
        fall_due(Delivery.objects.get())
        drain()
        assert len(receiver.requests) == 1
        assert states() == ["succeeded"]
        Delivery.objects.update(wait_until=timezone.now() - dt.timedelta(minutes=1))
        assert "without the recording" in Delivery.objects.get().remark

    def test_gets_the_changed_fields_and_the_call(self, world: World, receiver: Receiver) -> None:
        webhook = make_webhook(world, receiver.url())
        attach(webhook, Timing.UPDATED, only_changes=True)
        for second, name in ((1, "Ann"), (2, "Bob")):
            caller = {"full_name": name}
            take(world, event(world, **at(second, "call.updated", caller=caller)))
            drain()
        first, second_request = (json.loads(each.body) for each in receiver.requests)
        assert first["name"] == "Ann"
        assert second_request == {"call": "c1", "name": "Bob", "n": 7}

    def test_gets_changes_in_xml_too(self, world: World, receiver: Receiver) -> None:
        save_template(template=world.xml, sample=world.xml.current_version.sample, by=None)
        webhook = make_webhook(world, receiver.url(), template=world.xml)
        attach(webhook, Timing.UPDATED, only_changes=True)
        for second, name in ((1, "Ann"), (2, "Bob")):
            caller = {"full_name": name}
            take(world, event(world, **at(second, "call.updated", caller=caller)))
            drain()
        assert receiver.requests[1].body == b'<lead id="c1"><name>Bob</name></lead>'
