"""Callbacks of any platform: from a pasted sample, over its mapping, to events."""

import base64
import datetime as dt
import hashlib
import hmac
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from apps.accounts.models import Location
from apps.calls.models import Call, CallEvent
from apps.intake.adapters import Reading, UnreadableCallback
from apps.intake.adapters.event_fields import BY_NAME
from apps.intake.adapters.generic import Locale, fill, read, suggested
from apps.intake.adapters.moments import read_moment
from apps.intake.models import Callback, Source
from apps.webhooks.extraction import SampleError, extract
from apps.webhooks.formats import Format
from apps.webhooks.mapping import FieldMapping, Mapping, from_plain, to_plain
from tests.builders import World
from tests.factories import SourceFactory
from tests.intake.calling import call, path_of

NOW = dt.datetime(2026, 3, 28, 12, 0, tzinfo=dt.UTC)
LOCALE = Locale("US", ZoneInfo("America/New_York"))
SAMPLE = """{
  "event": "hangup",
  "call": {
    "uuid": "u-77", "caller_number": "(777) 673-4736", "called_number": "1-777-483-9229",
    "start_time": "2026-03-27 20:05:00", "end_time": 1774656336, "duration": "0:36",
    "direction": "incoming", "disposition": "ANSWERED", "queue": "Sales"
  },
  "recording_url": "https://audio.example.com/77.mp3"
}"""


def reading(sample: str, mapping: Mapping, form: Format = Format.JSON) -> Reading:
    return read(extract(sample, form), mapping, locale=LOCALE, now=NOW, digest="d1")


class TestASample:
    def test_says_by_itself_what_most_fields_are(self) -> None:
        event = reading(SAMPLE, suggested(extract(SAMPLE, Format.JSON))).event

        assert event == {
            "id": "callback:d1",
            "type": "call.ended",
            "call_id": "u-77",
            "occurred_at": "2026-03-28T12:00:00.000Z",
            "tracking_number": "+17774839229",
            "from": "+17776734736",
            "direction": "inbound",
            "status": "answered",
            "started_at": "2026-03-28T00:05:00.000Z",
            "ended_at": "2026-03-28T00:05:36.000Z",
            "duration_s": 36,
            "recording": {"url": "https://audio.example.com/77.mp3"},
            "custom": {"call.queue": "Sales"},
        }

    @pytest.mark.parametrize(
        ("form", "sample"),
        [
            (
                Format.XML,
                "<call><id>u-1</id><event>start</event><caller>+15550001111</caller></call>",
            ),
            (Format.FORM, "call_id=u-1&event=start&caller=%2B15550001111"),
            (Format.QUERY, "?call_id=u-1&event=start&caller=%2B15550001111"),
        ],
    )
    def test_may_have_any_format(self, form: Format, sample: str) -> None:
        mapping = suggested(extract(sample, form)).replaced(
            [fill(BY_NAME["call_id"], "/call/id" if form is Format.XML else "call_id")]
        )
        event = reading(sample, mapping, form).event
        assert event is not None
        assert (event["call_id"], event["type"]) == ("u-1", "call.started")
        assert event["from"] == "+15550001111"


class TestACallback:
    fields = Mapping(
        (
            fill(BY_NAME["call_id"], "$.id"),
            fill(BY_NAME["type"], "$.state", {"UP": "call.answered", "down": "call.ended"}),
            fill(BY_NAME["from"], "$.from"),
            fill(BY_NAME["talk_s"], "$.talk"),
        )
    )

    def event(self, **body: Any) -> Any:
        return reading(orjson.dumps({"id": "c", "state": "up", **body}).decode(), self.fields).event

    def test_has_values_that_mean_our_words_in_any_case(self) -> None:
        assert self.event(state="Up")["type"] == "call.answered"
        assert self.event(state="DOWN")["type"] == "call.ended"

    def test_of_another_meaning_is_ignored(self) -> None:
        found = reading('{"id": "c", "state": "parked"}', self.fields)
        assert (found.event, "parked" in found.ignored) == (None, True)

    def test_without_a_call_can_not_be_read(self) -> None:
        with pytest.raises(UnreadableCallback):
            reading('{"state": "up"}', self.fields)

    def test_keeps_what_it_can_not_convert_for_the_fault_to_tell(self) -> None:
        assert self.event(talk="long")["talk_s"] == "long"

    @pytest.mark.parametrize("caller", ["1001", "nobody", "sip:reception"])
    def test_of_a_caller_who_is_no_number_is_of_a_call_all_the_same(self, caller: str) -> None:
        event = self.event(**{"from": caller})
        assert ("from" in event, event["custom"]) == (False, {"from": caller})

    def test_of_a_target_who_is_no_number_is_of_a_call_all_the_same(self) -> None:
        mapping = self.fields.replaced([fill(BY_NAME["target"], "$.desk")])
        event = reading('{"id": "c", "state": "up", "desk": "unknown"}', mapping).event
        assert event is not None
        assert ("target" in event, event["custom"]) == (False, {"desk": "unknown"})

    def test_may_withhold_the_number(self) -> None:
        assert self.event(**{"from": "Private"})["from"] == "Private"

    def test_may_have_fixed_values(self) -> None:
        mapping = self.fields.replaced([FieldMapping("type", constant="call.updated")])
        event = reading('{"id": "c"}', mapping).event
        assert event is not None
        assert event["type"] == "call.updated"

    def test_keeps_its_mapping_as_json(self) -> None:
        assert from_plain(to_plain(self.fields)) == self.fields

    @given(
        st.dictionaries(
            st.text(max_size=8), st.text(max_size=20) | st.integers(-99, 10**12), max_size=6
        )
    )
    def test_never_fails(self, body: dict[str, Any]) -> None:
        try:
            sample = extract(orjson.dumps({"id": "c", **body}).decode(), Format.JSON)
        except SampleError:
            return
        found = read(sample, self.fields, locale=LOCALE, now=NOW, digest="d")
        assert found.call_id


class TestMoments:
    @pytest.mark.parametrize(
        "text",
        [
            "2026-03-28T00:05:00Z",
            "2026-03-27T20:05:00-04:00",
            "2026-03-27 20:05:00",
            "1774656300",
            "1774656300000",
            "1774656300.000",
            "Sat, 28 Mar 2026 00:05:00 +0000",
            "03/27/2026 08:05 PM",
            "27.03.2026 20:05",
        ],
    )
    def test_are_read_in_many_forms(self, text: str) -> None:
        expected = dt.datetime(2026, 3, 28, 0, 5, tzinfo=dt.UTC)
        assert read_moment(text, LOCALE.zone) == expected

    @pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
    def test_are_none_where_utc_has_no_such_year(self, text: str) -> None:
        assert read_moment(text, dt.UTC) is None

    @pytest.mark.parametrize(("text", "hours"), [("0001-01-01", 14), ("9999-12-31T23:00", -14)])
    def test_are_none_where_their_zone_leads_there(self, text: str, hours: int) -> None:
        assert read_moment(text, dt.timezone(dt.timedelta(hours=hours))) is None

    @given(st.text(max_size=30) | st.integers().map(str) | st.floats().map(str))
    def test_are_read_or_not(self, text: str) -> None:
        found = read_moment(text, dt.UTC)
        assert found is None or found.tzinfo is not None


@pytest.fixture
def source(world: World) -> Source:
    sample = SAMPLE.replace("1-777-483-9229", world.number.number)
    return SourceFactory(
        account=world.account,
        kind="generic",
        auth_token="",
        sample=sample,
        mapping=to_plain(suggested(extract(sample, Format.JSON))),
    )


@pytest.mark.django_db
class TestOverHttp:
    def post(self, source: Source, body: bytes | str | None = None, **headers: str) -> Any:
        return call(source, body or source.sample, content_type="application/json", **headers)

    def test_is_taken(self, source: Source) -> None:
        answer = self.post(source)
        assert answer.status_code == 202
        assert answer.json()["outcome"] == "taken"
        told = Call.objects.get()
        assert (told.external_id, told.status, told.duration_s) == ("u-77", "answered", 36)
        assert Callback.objects.get().call == told

    @pytest.mark.parametrize("scheme", ["Bearer", "Basic"])
    def test_may_carry_credentials_of_the_platform(self, source: Source, scheme: str) -> None:
        assert self.post(source, Authorization=f"{scheme} of-theirs").status_code == 202

    def filled_from(self, source: Source, **places: str) -> None:
        words = {"ring": "call.started", "hangup": "call.ended"}
        filled = [fill(BY_NAME[name], place) for name, place in places.items()]
        changed = [fill(BY_NAME["type"], "$.event", words), *filled]
        source.mapping = to_plain(from_plain(source.mapping).replaced(changed))
        source.save()

    def test_is_no_repeat_of_another_of_its_call(self, source: Source) -> None:
        self.filled_from(source, call_id="$.call.uuid", id="$.call.uuid")
        self.post(source, source.sample.replace("hangup", "ring"))
        self.post(source)
        self.post(source)
        assert [each.outcome for each in Callback.objects.all()] == ["taken", "taken"]
        assert CallEvent.objects.count() == 2

    @pytest.mark.parametrize(("word", "other"), [("hangup", "ring"), ("u-77", "u-78")])
    def test_whose_id_was_that_of_something_else_is_refused(
        self, source: Source, word: str, other: str
    ) -> None:
        self.filled_from(source, id="$.call.queue")
        self.post(source, source.sample.replace(word, other))
        answer = self.post(source)
        assert answer.status_code == 422
        assert "“Sales”" in answer.json()["detail"]
        assert Callback.objects.filter(outcome="rejected").count() == 1
        assert CallEvent.objects.count() == 1

    def test_again_changes_nothing(self, source: Source) -> None:
        self.post(source)
        assert self.post(source).status_code == 202
        assert (CallEvent.objects.count(), Callback.objects.count()) == (1, 1)

    @pytest.mark.parametrize(
        "body",
        ["nonsense", "[", "{}", '{"event": "hangup"}', '{"a": "\\u0000"}', "\xff", "<a/>"],
    )
    def test_that_can_not_be_read_is_refused_and_shown(self, source: Source, body: str) -> None:
        answer = self.post(source, body)
        assert answer.status_code == 422
        kept = Callback.objects.get()
        assert kept.outcome == "rejected"
        assert answer.json()["detail"] == kept.detail

    @pytest.mark.parametrize(
        ("body", "detail"),
        [(b" ", "It is empty."), (b'"' + b"a" * 300_000 + b'"', "It is over 256 KB.")],
    )
    def test_without_a_size_that_is_read_says_so(
        self, source: Source, body: bytes, detail: str
    ) -> None:
        assert self.post(source, body).json()["detail"] == detail

    @pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "windows-1252"])
    def test_keeps_its_letters(self, source: Source, coding: str) -> None:
        self.post(source, source.sample.replace("Sales", "Señor “X”").encode(coding))
        assert Call.objects.get().snapshot["custom"] == {"call.queue": "Señor “X”"}

    def test_at_a_place_in_no_country_has_no_number_without_a_code(
        self, source: Source, world: World
    ) -> None:
        # As rows have it that were stored before their country was judged.
        Location.objects.filter(pk=world.location.pk).update(country="UK")
        Source.objects.filter(pk=source.pk).update(location=world.location)
        assert self.post(source).json()["outcome"] == "taken"
        told = Call.objects.get()
        assert (told.caller, told.tracking_number) == ("", world.number.number)
        assert told.snapshot["custom"]["call.caller_number"] == "(777) 673-4736"

    def test_with_an_unknown_number_names_the_field(self, source: Source, world: World) -> None:
        body = source.sample.replace(world.number.number, "+15558887777")
        assert "/tracking_number" in self.post(source, body).json()["detail"]

    def test_of_no_meaning_is_ignored(self, source: Source) -> None:
        answer = self.post(source, source.sample.replace("hangup", "parked"))
        assert (answer.status_code, answer.json()["outcome"]) == (202, "ignored")

    @pytest.mark.parametrize("spelling", ["hex", "sha256=", "base64"])
    def test_may_be_signed(self, source: Source, spelling: str) -> None:
        source.signature_header, source.signature_secret = "X-Signature", "s3cret"
        source.save()
        digest = hmac.new(b"s3cret", source.sample.encode(), hashlib.sha256).digest()
        signature = {
            "hex": digest.hex(),
            "sha256=": f"sha256={digest.hex().upper()}",
            "base64": base64.b64encode(digest).decode(),
        }[spelling]
        assert self.post(source).status_code == 403
        assert self.post(source, "{}", **{"X-Signature": signature}).status_code == 403
        assert not Callback.objects.exists()
        assert self.post(source, **{"X-Signature": signature}).status_code == 202

    def test_signed_again_elsewhere_changes_nothing(self, source: Source) -> None:
        source.signature_header, source.signature_secret = "X-Signature", "s3cret"
        source.save()
        digest = hmac.new(b"s3cret", source.sample.encode(), hashlib.sha256).hexdigest()
        for query in ("", "?n=1", "?n=2"):
            answer = Client().post(
                path_of(source) + query,
                source.sample,
                "application/json",
                headers={"X-Signature": digest},
            )
            assert answer.status_code == 202
        assert Callback.objects.count() == 1

    def test_takes_no_query_for_the_signature_of_a_body(self, source: Source) -> None:
        source.format = "query"
        source.signature_header, source.signature_secret = "X-Signature", "s3cret"
        source.save()
        genuine = "call_id=1&event=start&to=2"
        digest = hmac.new(b"s3cret", genuine.encode(), hashlib.sha256).hexdigest()
        answer = Client().post(
            path_of(source) + "?call_id=9&event=start&to=2",
            genuine,
            "application/x-www-form-urlencoded",
            headers={"X-Signature": digest},
        )
        assert answer.status_code == 403
        assert not Callback.objects.exists()

    def test_may_be_all_in_the_url(self, source: Source, world: World) -> None:
        source.format = "query"
        source.mapping = to_plain(suggested(extract("call_id=1&event=start&to=2", Format.QUERY)))
        source.save()
        query = {"call_id": "q1", "event": "start", "to": world.number.number}
        assert Client().get(path_of(source), query).status_code == 202
        assert Call.objects.get().external_id == "q1"

    def test_is_told_where_get_is_not_expected(self, source: Source) -> None:
        assert Client().get(path_of(source)).status_code == 405

    def test_too_large_is_refused(self, source: Source, settings: Any) -> None:
        settings.INTAKE_MAX_BODY_BYTES = 100
        assert self.post(source).status_code == 413
