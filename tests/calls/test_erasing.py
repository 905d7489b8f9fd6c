"""What remains of a call whose personal data is erased, and that nothing of it comes back."""

import json
from typing import Any

import pytest
from django.apps import apps
from django.urls import reverse

from apps.calls.erasing import without_person
from apps.calls.models import Call
from apps.calls.snapshots import Snapshot
from apps.common.access import Role
from apps.common.ids import new_id
from apps.common.models import AccountOwned, AuditAction, AuditEntry
from apps.delivery.models import Attempt, CallerTurn, Delivery, DeliveryState
from apps.webhooks.tokens import EXAMPLE_SNAPSHOT, TOKENS
from tests.api_client import Api, api_for, good, problem
from tests.builders import World, attach, event, make_webhook
from tests.conftest import LogIn
from tests.factories import (
    AttemptFactory,
    CallbackFactory,
    IvrExchangeFactory,
    SourceFactory,
)

PERSON = {"first_name": "Freddy", "last_name": "Krueger", "email": "f@example.com"}
# What is said of the person anywhere, which nothing may say afterwards.
SAID = ("Freddy", "Krueger", "f@example.com", "7776734736", "Elm Street", "Nightmare")


@pytest.fixture
def call(world: World) -> Call:
    """A call that has begun, with a delivery that is pending and one that was sent."""
    for name in ("CRM", "Mail"):
        attach(make_webhook(world, "https://93.184.216.34/leads", name=name))
    body = event(
        world,
        call_id="call-1",
        transcript="I live in Elm Street.",
        caller=PERSON,
        tags={"Movie": "Nightmare"},
        **{"from": "+17776734736"},
    )
    good(Api(world.token).post("/events", body), 202)
    call = Call.objects.get()
    sent = Delivery.objects.order_by("created_at")[0]
    Delivery.objects.filter(pk=sent.pk).update(
        state=DeliveryState.FAILED, attempt_count=1, last_error="Freddy is no number"
    )
    AttemptFactory(
        delivery=sent,
        url="https://93.184.216.34/leads?phone=7776734736",
        request_body='{"name": "Freddy"}',
        response_body="Hello Krueger",
        error_message="Freddy is no number",
    )
    CallerTurn.objects.create(
        account=world.account,
        attachment_key=new_id(),
        caller=call.caller,
        taken_at=call.created_at,
        until=call.created_at,
        delivery_key=sent.pk,
    )
    IvrExchangeFactory(
        ivr__account=world.account,
        ivr__location=world.location,
        call_external_id="call-1",
        reason="Target URL: “Freddy” is no number.",
        tries=[
            {
                "url": "https://x/?c=7776734736",
                "request_body": "Freddy",
                "error_message": "“Freddy” is no number.",
            }
        ],
        reply={
            "reason": "Target URL: “Freddy” is no number.",
            "message": "Hello Freddy",
            "action": None,
            "ivr": None,
        },
    )
    CallbackFactory(
        source=SourceFactory(account=world.account),
        call=call,
        body="From=%2B17776734736",
        event={"from": "+17776734736"},
        detail="“Freddy” is no E.164 number, as +15551234567. (/from)",
    )
    return call


def kept_of(account_id: Any) -> str:
    """Return everything that is stored of an account, as text."""
    models = [model for model in apps.get_models() if issubclass(model, AccountOwned)]
    rows = [row for model in models for row in model._base_manager.filter(account_id=account_id)]
    return json.dumps([vars(row) for row in rows], default=str)


def at(call: Call) -> str:
    return f"/calls/{call.public_id}/erase"


@pytest.mark.django_db
class TestErasing:
    def test_leaves_nothing_of_the_person_anywhere(self, world: World, call: Call) -> None:
        assert all(said in kept_of(world.account.pk) for said in SAID)
        shown = good(api_for(world.account).post(at(call)))
        assert (shown["caller"], shown["caller_name"]) == ("", "")
        assert shown["erased_at"] is not None
        kept = kept_of(world.account.pk)
        assert [said for said in SAID if said in kept] == []

    def test_keeps_what_is_counted(self, world: World, call: Call) -> None:
        shown = good(api_for(world.account).post(at(call)))
        assert shown["snapshot"]["location"]["name"] == world.location.name
        assert shown["snapshot"]["tags"] == {"Region": "south"}
        assert shown["started_at"] is not None
        attempt = Attempt.objects.get()
        assert (attempt.response_status, attempt.url) == (200, "https://93.184.216.34/leads")

    def test_sends_nothing_that_was_not_sent_yet(self, world: World, call: Call) -> None:
        good(api_for(world.account).post(at(call)))
        states = Delivery.objects.order_by("created_at").values_list("state", flat=True)
        assert list(states) == [DeliveryState.FAILED, DeliveryState.SKIPPED]
        (skipped,) = Delivery.objects.filter(state=DeliveryState.SKIPPED)
        assert skipped.last_error == "Skipped: the personal data of the call was erased."

    def test_waits_for_what_is_being_sent(self, world: World, call: Call) -> None:
        Delivery.objects.filter(state=DeliveryState.PENDING).update(claim=new_id())
        told = problem(api_for(world.account).post(at(call)), 409, "call_under_way")
        assert "two minutes" in told["detail"]
        assert Call.objects.get().caller == "+17776734736"
        assert Attempt.objects.get().request_body

    def test_holds_for_events_that_come_later(self, world: World, call: Call) -> None:
        good(api_for(world.account).post(at(call)))
        body = event(
            world,
            type="call.ended",
            call_id="call-1",
            occurred_at="2026-03-28T00:09:00Z",
            caller=PERSON,
            **{"from": "+17776734736"},
        )
        good(Api(world.token).post("/events", body), 202)
        assert [said for said in SAID if said in kept_of(world.account.pk)] == []
        call.refresh_from_db()
        assert call.is_ended
        assert call.duration_s

    def test_is_in_the_audit_log_and_may_be_repeated(self, world: World, call: Call) -> None:
        api = api_for(world.account)
        first = good(api.post(at(call)))["erased_at"]
        assert good(api.post(at(call)))["erased_at"] == first
        entries = AuditEntry.objects.filter(action=AuditAction.ERASED)
        assert [(each.object_id, each.actor_kind) for each in entries] == [(call.pk, "key")] * 2

    def test_leaves_other_calls_alone(self, world: World, call: Call) -> None:
        body = event(world, call_id="call-2", caller=PERSON, **{"from": "+17776734736"})
        good(Api(world.token).post("/events", body), 202)
        good(api_for(world.account).post(at(call)))
        other = Call.objects.get(external_id="call-2")
        assert (other.caller, other.caller_name) == ("+17776734736", "Freddy Krueger")


@pytest.mark.django_db
class TestTheButton:
    def test_asks_first(self, world: World, call: Call, log_in: LogIn) -> None:
        browser = log_in(account=world.account, role=Role.ADMIN)
        page = reverse("admin:calls_call_change", args=[call.pk])
        link = reverse("admin:calls_call_erase", args=[call.pk])
        assert link in browser.get(page).content.decode()
        assert "Erase for good" in browser.get(link).content.decode()
        assert Call.objects.get().caller
        assert browser.post(link, follow=True).status_code == 200
        assert Call.objects.get().caller == ""
        assert link not in browser.get(page).content.decode()

    def test_is_for_admins(self, world: World, call: Call, log_in: LogIn) -> None:
        browser = log_in(account=world.account, role=Role.MEMBER)
        link = reverse("admin:calls_call_erase", args=[call.pk])
        page = reverse("admin:calls_call_change", args=[call.pk])
        assert link not in browser.get(page).content.decode()
        assert browser.post(link).status_code == 403
        assert Call.objects.get().caller


class TestWhatIsPersonal:
    erased: Snapshot = without_person(EXAMPLE_SNAPSHOT)

    def test_is_what_the_tokens_say(self) -> None:
        # These make do with the id of the call, options of the menu, and a sentence without a name.
        others = {"analytics_client_id", "entered_keys", "call_summary"}
        personal = {name for name, token in TOKENS.items() if token.personal} - others
        assert {name for name in personal if TOKENS[name].read(self.erased)} == set()
        caller = EXAMPLE_SNAPSHOT["caller"]
        assert caller["first_name"] not in str(TOKENS["call_summary"].read(self.erased))

    def test_is_not_when_and_where_it_was(self) -> None:
        for name in ("call_start_time", "dialed_time", "dialstatus", "location_name", "tracking"):
            value = TOKENS[name].read(EXAMPLE_SNAPSHOT)
            assert value is not None
            assert TOKENS[name].read(self.erased) == value
