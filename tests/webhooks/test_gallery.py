"""The gallery: each built-in template is accepted by its own rules, whatever the call."""

import hashlib
import json
from urllib.parse import parse_qsl

import pytest
from hypothesis import given

from apps.webhooks.formats import Format
from apps.webhooks.gallery import GALLERY
from apps.webhooks.headers import check_header
from apps.webhooks.mapping import from_plain, to_plain
from apps.webhooks.rendering import compile_template
from apps.webhooks.tokens import EXAMPLE_SNAPSHOT
from tests.webhooks.strategies import HOSTILE_VALUES, snapshots

LOCATION = {"name": "Motor & Sons", "client_location_id": "7", "time_zone": "Europe/Berlin"}
ANONYMOUS = {
    "call_id": "c-1",
    "status": "no_answer",
    "direction": "inbound",
    "from": "anonymous",
    "tracking_number": "+17774839229",
    "started_at": "2026-03-28T00:05:00.000Z",
    "ended_at": "2026-03-28T00:05:30.000Z",
    "duration_s": 30,
    "talk_s": 0,
    "location": LOCATION,
}
"""Withheld number, nobody answered, no web session."""


def hostile(value):
    names = ("full_name", "first_name", "middle_name", "last_name", "street_line_1", "city")
    return {
        **EXAMPLE_SNAPSHOT,
        "caller": {
            **EXAMPLE_SNAPSHOT["caller"],
            **dict.fromkeys((*names, "street_line_2", "state", "zip"), value),
        },
        "campaign": {"name": value},
        "options": [{"key": value, "label": value}],
        "transcript": value,
        "session_id": value,
        # A location has a name.
        "location": {**LOCATION, "name": LOCATION["name"] if value.isspace() else value},
        "visitor": {
            **EXAMPLE_SNAPSHOT["visitor"],
            **dict.fromkeys(("utm_source", "utm_medium", "utm_campaign", "user_agent"), value),
        },
        "vehicle": {"year": "", "make": value, "model": value, "vin": value},
    }


CALLS = {
    "example": EXAMPLE_SNAPSHOT,
    "begin": {name: EXAMPLE_SNAPSHOT[name] for name in ("call_id", "from", "started_at", "caller")}
    | {"location": LOCATION},
    "anonymous": ANONYMOUS,
    "blank": hostile("  \n "),
    **{name: hostile(value) for name, value in HOSTILE_VALUES.items()},
}
BY_KEY = pytest.mark.parametrize("entry", GALLERY.values(), ids=GALLERY.keys())


def render(entry, snapshot=EXAMPLE_SNAPSHOT):
    template = compile_template(format=entry.format, sample=entry.sample, mapping=entry.mapping)
    return template.render(snapshot)


def rendered_json(key, snapshot=EXAMPLE_SNAPSHOT):
    return json.loads(render(GALLERY[key], snapshot))


@BY_KEY
class TestEntry:
    @pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
    def test_renders_what_its_own_rules_accept(self, entry, call):
        assert entry.validate(render(entry, call)) == []

    def test_refuses_what_is_not_its_format(self, entry):
        for payload in (b"", b"\xff\xfe", b'{"a":', b"<a>", b"[]", b"null", b"7"):
            assert entry.validate(payload)

    @given(snapshot=snapshots)
    def test_judges_any_payload_without_failing(self, entry, snapshot):
        entry.validate(render(entry, snapshot))

    def test_keeps_its_mapping_when_it_is_stored(self, entry):
        assert from_plain(to_plain(entry.mapping)) == entry.mapping

    def test_describes_itself(self, entry):
        assert entry.name
        assert entry.purpose.endswith(".")
        assert all(note.endswith(".") for note in entry.notes)
        assert entry.method == ("GET" if entry.format is Format.QUERY else "POST")
        for name, value in entry.headers:
            check_header(name, value)

    def test_knows_what_is_still_to_be_filled_in(self, entry):
        texts = (entry.sample, entry.url, *(value for _, value in entry.headers))
        assert entry.unfilled(*texts) == list(entry.blanks)
        assert entry.unfilled("https://crm.example/") == []


class TestHostileValue:
    def test_reaches_no_structure(self):
        call = hostile('"},"admin":true,{"')
        assert rendered_json("hubspot_call", call).keys() == {"properties"}
        assert "admin" not in rendered_json("flat_json", call)

    def test_notifies_nobody_in_slack(self):
        text = rendered_json("slack_message", hostile("<!channel> <@U1>"))["text"]
        assert "&lt;!channel&gt; &lt;@U1&gt;" in text


class TestValue:
    """Places whose value the receiver wants in a certain form."""

    def test_is_milliseconds_and_e164_for_hubspot(self):
        call = rendered_json("hubspot_call")["properties"]
        assert call["hs_call_duration"] == "36000"
        assert call["hs_call_from_number"] == "+17776734736"
        assert (call["hs_call_direction"], call["hs_call_status"]) == ("INBOUND", "COMPLETED")

    def test_is_left_out_for_hubspot_where_the_number_is_withheld(self):
        assert "hs_call_from_number" not in rendered_json("hubspot_call", ANONYMOUS)["properties"]

    def test_is_microseconds_for_google(self):
        hit = rendered_json("google_analytics_event")
        assert hit["timestamp_micros"] == 1_553_731_500_000_000
        assert hit["events"][0]["params"]["engagement_time_msec"] == 29_000

    def test_is_at_least_one_millisecond_and_the_call_itself_without_a_web_session(self):
        hit = rendered_json("google_analytics_event", ANONYMOUS)
        assert hit["client_id"] == "c-1"
        assert hit["events"][0]["params"]["engagement_time_msec"] == 1
        assert "source" not in hit["events"][0]["params"]

    @pytest.mark.parametrize(
        ("name", "normalised"),
        [
            ("ph", "17776734736"),
            ("em", "freddy@example.com"),
            ("fn", "freddy"),
            ("ln", "krueger"),
            ("ct", "springwood"),
            ("st", "oh"),
            ("zp", "50035"),
            ("country", "us"),
        ],
    )
    def test_is_hashed_for_meta_when_normalised(self, name, normalised):
        user = rendered_json("meta_conversion")["data"][0]["user_data"]
        assert user[name] == hashlib.sha256(normalised.encode()).hexdigest()

    def test_is_not_hashed_for_meta_where_the_number_is_withheld(self):
        event = rendered_json("meta_conversion", ANONYMOUS)["data"][0]
        assert event["user_data"].keys() == {"external_id"}
        assert event["event_time"] == 1_774_656_300

    def test_has_the_offset_of_the_location_in_flat_json(self):
        call = rendered_json("flat_json", ANONYMOUS)
        assert call["started_at"] == "2026-03-28T01:05:00+01:00"
        assert call["talk_seconds"] == 0
        assert call["is_repeat_caller"] is None
        assert rendered_json("flat_json")["is_repeat_caller"] is True

    def test_names_an_unknown_caller_in_salesforce(self):
        form = dict(parse_qsl(render(GALLERY["salesforce_web_to_lead"], ANONYMOUS).decode("ascii")))
        assert form["last_name"] == "Unknown caller"
        assert form["company"] == "Motor & Sons"
        assert "phone" not in form


def replaced(key, old, new):
    payload = render(GALLERY[key])
    assert old in payload
    return GALLERY[key].validate(payload.replace(old, new))


def changed(value, replacement):
    """Every copy of a JSON value in which one thing is replaced."""
    yield replacement
    if isinstance(value, dict):
        for name in value:
            yield from ({**value, name: each} for each in changed(value[name], replacement))
            yield {other: value[other] for other in value if other != name}
    if isinstance(value, list):
        for index, item in enumerate(value):
            for each in changed(item, replacement):
                yield [*value[:index], each, *value[index + 1 :]]


class TestRules:
    @pytest.mark.parametrize("replacement", [None, 7, -1, True, "x", [], {}, [[]], {"type": {}}])
    @pytest.mark.parametrize("key", [k for k, e in GALLERY.items() if e.format is Format.JSON])
    def test_judge_whatever_stands_at_a_place(self, key, replacement):
        for payload in changed(rendered_json(key), replacement):
            GALLERY[key].validate(json.dumps(payload).encode())

    @pytest.mark.parametrize(
        ("key", "old", "new", "path"),
        [
            ("salesforce_web_to_lead", b"oid=00D0", b"oid=1", "oid"),
            ("salesforce_web_to_lead", b"last_name=Krueger", b"last_name=", "last_name"),
            ("salesforce_web_to_lead", b"company=", b"kompany=", "company"),
            ("salesforce_web_to_lead", b"Krueger&", b"K" * 81 + b"&", "last_name"),
            ("salesforce_web_to_lead", b"&phone=", b"&email=", "email"),
            ("hubspot_call", b'"INBOUND"', b'"in"', "$.properties.hs_call_direction"),
            ("hubspot_call", b"hs_timestamp", b"timestamp", "$.properties.hs_timestamp"),
            ("hubspot_call", b"https://", b"http://", "$.properties.hs_call_recording_url"),
            ("hubspot_call", b'"+1777', b'"1777', "$.properties.hs_call_from_number"),
            ("google_analytics_event", b"phone_call", b"phone call", "$.events[0].name"),
            ("google_analytics_event", b"client_id", b"client", "$.client_id"),
            ("google_analytics_event", b"1553731500000000", b"1553731500", "$.timestamp_micros"),
            ("google_analytics_event", b"newsletter", b"x" * 101, "$.events[0].params.medium"),
            ("meta_conversion", b"1553731500,", b"1553731500000,", "$.data[0].event_time"),
            ("meta_conversion", b'"phone_call"', b'"phone"', "$.data[0].action_source"),
            ("meta_conversion", b'"ph":"', b'"ph":"+', "$.data[0].user_data.ph"),
            ("meta_conversion", b'"fbp"', b'"first_name"', "$.data[0].user_data.first_name"),
            ("slack_message", b'"text"', b'"message"', "$.text"),
            ("slack_message", b"Inbound", b"<!channel>", "$.text"),
            ("teams_message", b"adaptive", b"hero", "$.attachments[0].contentType"),
            ("teams_message", b'"Freddy Krueger"', b'""', None),
            ("flat_json", b'"call_id"', b'"callId"', "$.callId"),
            ("post_call_action", b"talk_minutes=0.48", b"talk_minutes=29s", "talk_minutes"),
            ("post_call_action", b"&sid=", b"&session=", "sid"),
            ("post_call_action_get", b"&st_os=Mac%20OS%20X", b"", "st_os"),
            ("call_complete", b"Event=Call.Complete", b"Event=Call.Begin", "Event"),
            ("call_complete", b"%2B17776734736", b"7776734736", "Call.From"),
            ("call_complete", b"ANSWERED", b"ANSWER", "Call.Disposition"),
            ("call_complete", b"&Call.Endpoint=", b"&Call.Target=", "Call.Target"),
            ("call_complete", b"&Call.To.Type=Dynamic", b"", "Call.To.Type"),
            ("call_complete", b"&Attribution.Medium=newsletter", b"", "Attribution.Medium"),
            ("call_complete_get", b"2019-03-28%20", b"2019-03-28T", "Call.StartDate"),
            ("call_start", b'"Attempt":1', b'"Attempt":"1"', "$.Attempt"),
            ("call_start", b"CallStartCall", b"CallStart", "$.Notifications[0].Action"),
            (
                "call_preprocessed",
                b'"AnswerStatus":1',
                b'"AnswerStatus":true',
                "$.Notifications[0].AnswerStatus",
            ),
            (
                "call_processed",
                b'"LandingPagURL:"',
                b'"LandingPageURL"',
                "$.Notifications[0].AttributionDetails.LandingPagURL:",
            ),
            ("flat_json", b'"ring_count":4', b'"ring_count":"4"', "$.ring_count"),
        ],
    )
    def test_tell_the_place_of_a_fault(self, key, old, new, path):
        problems = replaced(key, old, new)
        assert problems
        assert path is None or path in {problem.path for problem in problems}
