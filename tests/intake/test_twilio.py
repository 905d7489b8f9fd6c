"""Twilio's callbacks over HTTP: what they become."""

import hashlib
import itertools
from typing import Any

import pytest
from django.test import Client

from apps.calls.erasing import erase_personal_data
from apps.calls.events import EventType
from apps.calls.models import Call, CallEvent
from apps.delivery.models import Delivery
from apps.intake.adapters.twilio_signature import sign
from apps.intake.models import Callback, Source
from tests.builders import World, attach, make_webhook
from tests.intake.calling import Twilio, path_of
from tests.intake.twilio_posts import (
    AGENT,
    CALLER,
    CHILD,
    PARENT,
    everything,
    of_call,
    of_leg,
    recording,
    rows,
)

pytestmark = pytest.mark.django_db


class TestACall:
    def test_is_told_from_its_callbacks(self, world: World, twilio: Twilio) -> None:
        for form in everything(world):
            assert twilio.post(**form).status_code == 204

        told = Call.objects.get()
        assert told.external_id == PARENT
        assert told.location == world.location
        assert told.campaign_key == world.campaign.pk
        snapshot = told.snapshot
        assert {
            name: snapshot[name]
            for name in ("from", "to", "target", "status", "direction", "duration_s", "talk_s")
        } == {
            "from": CALLER,
            "to": world.number.number,
            "target": AGENT,
            "status": "answered",
            "direction": "inbound",
            "duration_s": 36,
            "talk_s": 29,
        }
        assert snapshot["caller"] == {"full_name": "FREDDY KRUEGER", "city": "SPRINGWOOD"}
        assert snapshot["recording"] == {
            "url": "https://api.twilio.example/Recordings/RE1.mp3",
            "wav_url": "https://api.twilio.example/Recordings/RE1.wav",
            "duration_s": 29,
        }
        assert snapshot["transcript"] == "Hello."
        assert snapshot["custom"]["StirVerstat"] == "TN-Validation-Passed-A"
        assert "AccountSid" not in snapshot["custom"]

    def test_begins_and_ends_once_whatever_legs_it_has(self, world: World, twilio: Twilio) -> None:
        webhook = make_webhook(world, "https://93.184.216.34/")
        for timing in ("begin", "end"):
            attach(webhook, timing=timing)
        other = "CAother000000000000000000000000002"
        for form in (
            of_call(world, "ringing", 0),
            of_leg("ringing", 1),
            of_leg("ringing", 1, other),
            of_leg("in-progress", 7),
            of_leg("no-answer", 7, other),
            of_leg("completed", 30),
            of_call(world, "completed", 30, CallDuration="30"),
            of_call(world, "completed", 30, CallDuration="30", SequenceNumber="9"),
        ):
            assert twilio.post(**form).status_code == 204

        assert sorted(Delivery.objects.values_list("timing", flat=True)) == ["begin", "end"]
        assert Call.objects.get().status == "answered"

    def test_is_the_same_in_any_order(self, world: World, twilio: Twilio) -> None:
        forms = everything(world)
        for order in itertools.islice(itertools.permutations(forms), 0, None, 701):
            Call.objects.all().delete()
            Callback.objects.all().delete()
            for form in order:
                assert twilio.post(**form).status_code == 204
            told = Call.objects.get().snapshot
            assert told["status"] == "answered", [form.get("CallStatus") for form in order]
            assert (told["from"], told["target"], told["duration_s"]) == (CALLER, AGENT, 36)
            assert told["recording"]["duration_s"] == 29
            assert told["transcript"] == "Hello."
            assert CallEvent.objects.filter(type=EventType.ENDED).count() == 1

    @pytest.mark.parametrize(
        ("status", "outcome"),
        [
            ("completed", "answered"),
            ("busy", "busy"),
            ("failed", "failed"),
            ("no-answer", "no_answer"),
            ("canceled", "no_answer"),
        ],
    )
    def test_without_legs_is_what_twilio_says(
        self, world: World, twilio: Twilio, status: str, outcome: str
    ) -> None:
        twilio.post(**of_call(world, "ringing", 0))
        twilio.post(**of_call(world, status, 9))
        assert Call.objects.get().status == outcome

    def test_that_nobody_picked_up_was_not_answered(self, world: World, twilio: Twilio) -> None:
        for form in (
            of_call(world, "ringing", 0),
            of_leg("ringing", 1),
            of_leg("no-answer", 20),
            of_call(world, "completed", 21),
        ):
            twilio.post(**form)
        told = Call.objects.get()
        assert (told.status, told.talk_s) == ("no_answer", 0)

    def test_that_goes_out_belongs_to_the_number_it_comes_from(
        self, world: World, twilio: Twilio
    ) -> None:
        outbound = {"Direction": "outbound-api", "From": world.number.number, "To": CALLER}
        for status, second in (("initiated", 0), ("in-progress", 5), ("completed", 25)):
            form = {**of_call(world, status, second), **outbound}
            assert twilio.post(**form).status_code == 204
        told = Call.objects.get()
        assert (told.direction, told.status, told.talk_s) == ("outbound", "answered", 20)

    def test_hides_a_withheld_number(self, world: World, twilio: Twilio) -> None:
        for index, withheld in enumerate(("+266696687", "anonymous", "Restricted")):
            sid = f"CA{index}"
            twilio.post(**of_call(world, "ringing", 0, CallSid=sid, From=withheld))
            assert Call.objects.get(external_id=sid).caller == "anonymous"

    def test_takes_the_number_out_of_a_sip_address(self, world: World, twilio: Twilio) -> None:
        number = world.number.number
        form = of_call(world, "ringing", 0, From="sip:alice@example.com", To=f"sip:{number}@x.y")
        assert twilio.post(**form).status_code == 204
        assert Call.objects.get().caller == ""


class TestThePlaceOfACall:
    def test_is_told_by_the_url_where_only_legs_call(self, world: World, twilio: Twilio) -> None:
        # A plus that nobody encoded is a blank in a query.
        query = f"number={world.number.number}"
        assert twilio.post(query, **of_leg("ringing", 1)).status_code == 204
        told = Call.objects.get()
        assert (told.external_id, told.tracking_number) == (PARENT, world.number.number)

    def test_is_waited_for(self, world: World, twilio: Twilio) -> None:
        for form in (of_leg("in-progress", 7), recording(CHILD)):
            assert twilio.post(**form).status_code == 204
        assert not Call.objects.exists()
        assert set(Callback.objects.values_list("outcome", flat=True)) == {"held"}

        twilio.post(**of_call(world, "completed", 36))

        assert set(Callback.objects.values_list("outcome", flat=True)) == {"taken"}
        told = Call.objects.get().snapshot
        assert told["answered_at"] == "2026-03-28T00:05:07.000Z"
        assert told["recording"]["duration_s"] == 29

    def test_of_a_recorded_leg_is_that_of_its_call(self, world: World, twilio: Twilio) -> None:
        for form in (of_call(world, "ringing", 0), of_leg("in-progress", 7), recording(CHILD)):
            twilio.post(**form)
        assert Call.objects.get().snapshot["recording"]["duration_s"] == 29

    def test_is_the_sources_own_for_unknown_numbers(self, world: World, twilio: Twilio) -> None:
        form = of_call(world, "ringing", 0, To="+15558887777")
        refused = twilio.post(**form)
        assert refused.status_code == 422
        assert "+15558887777" in refused.json()["detail"]
        assert Callback.objects.get().outcome == "rejected"

        twilio.source.location = world.location
        twilio.source.save(update_fields=["location"])
        assert twilio.post(**form).status_code == 204
        assert Callback.objects.get().outcome == "taken"
        assert Call.objects.get().location == world.location


class TestARepeat:
    def test_changes_nothing(self, world: World, twilio: Twilio) -> None:
        attach(make_webhook(world, "https://93.184.216.34/"), timing="end")
        for form in everything(world):
            twilio.post(**form)
        before = rows()
        for form in reversed(everything(world)):
            assert twilio.post(**form).status_code == 204
        assert rows() == before

    def test_of_a_status_with_other_words_is_no_new_event(
        self, world: World, twilio: Twilio
    ) -> None:
        twilio.post(**of_call(world, "completed", 36))
        twilio.post(**of_call(world, "completed", 36, More="1"))
        assert CallEvent.objects.count() == 1
        assert set(Callback.objects.values_list("outcome", flat=True)) == {"taken", "repeated"}


class TestABadBody:
    @pytest.mark.parametrize(
        "form",
        [
            {},
            {"CallSid": ""},
            {"CallSid": "CA1", "CallStatus": "dancing"},
            {"CallSid": "C" * 300, "CallStatus": "ringing"},
            {"CallSid": "CA\x001", "CallStatus": "ringing", "To": "\x00"},
            {"CallSid": "CA1", "CallStatus": "ringing", "Timestamp": "never", "CallDuration": "x"},
            {"CallSid": "CA1", "CallStatus": "ringing", "Timestamp": "0001-01-01T00:00+14:00"},
            {"CallSid": "CA1", "CallStatus": "completed", "SequenceNumber": "9" * 400},
            {"CallSid": "CA1", "RecordingStatus": "completed", "RecordingUrl": "x" * 300_000},
        ],
        ids=range(9),
    )
    def test_is_a_clear_4xx_or_waits(self, twilio: Twilio, form: dict[str, str]) -> None:
        answer = twilio.post(**form)
        assert answer.status_code in (204, 422), answer.content
        if answer.status_code == 422:
            assert answer.json()["detail"]
        assert not Call.objects.exists()

    @pytest.mark.parametrize("query", ["location=%00", "number=%00", "location=" + "x" * 3_000])
    def test_may_have_a_place_that_is_none(self, twilio: Twilio, query: str) -> None:
        assert twilio.post(query, CallSid="CA1", CallStatus="ringing").status_code in (204, 422)

    def test_of_more_fields_than_twilio_sends_is_refused(self, twilio: Twilio) -> None:
        form = {f"f{number}": "x" for number in range(1_100)}
        assert twilio.post(CallSid="CA1", CallStatus="completed", **form).status_code == 403

    def test_is_shown_to_the_admin(self, twilio: Twilio) -> None:
        twilio.post(CallSid="CA1", CallStatus="dancing")
        kept = Callback.objects.get()
        assert (kept.outcome, "dancing" in kept.detail) == ("rejected", True)

    def post_json(self, source: Source, body: bytes) -> Any:
        path = f"{path_of(source)}?bodySHA256={hashlib.sha256(body).hexdigest()}"
        signature = sign(f"http://127.0.0.1:8000{path}", [], token=source.auth_token)
        return Client(raise_request_exception=False).post(
            path,
            body,
            content_type="application/json",
            headers={"X-Twilio-Signature": signature},
        )

    @pytest.mark.parametrize(
        "body", [b"[1]", b'"x"', b'{"CallSid": "CA1", "To": ' + b"[" * 900 + b"]" * 900 + b"}"]
    )
    def test_takes_no_json_but_an_object_of_texts(self, source: Source, body: bytes) -> None:
        answer = self.post_json(source, body)
        assert answer.status_code == 422, answer.content
        assert not Call.objects.exists()

    def test_may_have_more_than_texts(self, source: Source) -> None:
        body = (
            b'{"CallSid": "CA1", "CallStatus": "ringing", "Flag": true, "More": {"a": [1, null]}}'
        )
        assert self.post_json(source, body).status_code == 204
        kept = Callback.objects.get().event
        assert kept is not None
        assert (kept["custom"]["Flag"], kept["custom"]["More"]) == ("true", '{"a":[1,null]}')

    def test_knows_no_get(self, source: Source) -> None:
        assert Client().get(path_of(source)).status_code == 405


class TestACallThatWasErased:
    def test_is_not_told_of_again_by_what_comes_later(self, world: World, twilio: Twilio) -> None:
        twilio.post(**of_call(world, "in-progress", 0))
        erase_personal_data(call=Call.objects.get())
        ignored = {**recording(), "RecordingStatus": "in-progress"}
        for form in (of_call(world, "completed", 9), recording(), ignored):
            twilio.post(**{**form, "Name": "Krueger"})

        kept = list(Callback.objects.values_list("outcome", "body", "event", "detail"))
        assert [outcome for outcome, *_ in kept] == ["ignored", "taken", "taken", "taken"]
        assert "Krueger" not in str(kept)
        assert CALLER.removeprefix("+") not in str(kept)


class TestTheLog:
    def test_keeps_the_newest(self, world: World, twilio: Twilio, monkeypatch: Any) -> None:
        monkeypatch.setattr("apps.intake.callbacks.MOST_KEPT", 3)
        twilio.post(**of_leg("ringing", 1, ParentCallSid="CAwaits"))
        for index in range(5):
            twilio.post(**of_call(world, "ringing", 0, CallSid=f"CA{index}"))
        kept = Callback.objects.order_by("pk").values_list("call_external_id", flat=True)
        assert list(kept) == ["CAwaits", "CA2", "CA3", "CA4"]
