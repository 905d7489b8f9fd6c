"""The token catalogue, how tokens read calls, and how text refers to them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.webhooks.tokens import (
    EXAMPLE_SNAPSHOT,
    TOKENS,
    Category,
    Token,
    TokenType,
    UnknownToken,
    as_text,
    end_only,
    find_token,
    split,
    web_session_only,
)
from apps.webhooks.tokens.delivery_tokens import DELIVERY_TOKENS
from apps.webhooks.tokens.handling_tokens import HANDLING_TOKENS
from apps.webhooks.tokens.ivr_tokens import IVR_TOKENS
from apps.webhooks.tokens.session_tokens import SESSION_TOKENS
from tests.webhooks.strategies import snapshots


def read(name, snapshot):
    return find_token(name).read(snapshot)


OTHER_SYSTEMS = {
    token.name for token in (*HANDLING_TOKENS, *SESSION_TOKENS, *IVR_TOKENS, *DELIVERY_TOKENS)
}
"""What the other systems that Hookline replaces send of a call."""
OUR_OWN = OTHER_SYSTEMS | {
    "account_name",
    "account_sid",
    "advertiser_id",
    "analytics_client_id",
    "ani_address",
    "ani_lat",
    "ani_long",
    "ani_email",
    "call_summary",
    "direction",
    "fbc",
    "fbp",
    "location_sid",
    "location_time_zone",
    "option_key",
    "option_name",
    "organization_id",
    "property_name",
    "recording_duration",
    "transcript",
    "treatment_name",
    "visitor_user_agent",
}
"""What the built-in templates need beyond the tokens of the platform."""


class TestCatalogue:
    def test_has_the_77_tokens_of_the_platform_and_ours(self):
        assert TOKENS.keys() >= OUR_OWN
        by_category = {
            category: sum(
                1
                for token in TOKENS.values()
                if token.category is category and token.name not in OUR_OWN
            )
            for category in Category
        }
        assert by_category == {
            Category.CALL_BEGIN: 27,
            Category.CALL_END: 11,
            Category.DNI: 29,
            Category.LOCATION_INFO: 10,
            Category.IVR: 0,
            Category.DELIVERY: 0,
        }

    @pytest.mark.parametrize("token", TOKENS.values(), ids=lambda token: token.name)
    def test_reads_each_example_from_the_example_call(self, token):
        assert token.read(EXAMPLE_SNAPSHOT) == token.example

    @pytest.mark.parametrize("token", TOKENS.values(), ids=lambda token: token.name)
    def test_describes_each_token(self, token):
        assert token.label
        assert token.description.endswith(".")
        assert not token.values or token.example in token.values
        assert token.inside is None or TOKENS[token.inside].type is TokenType.LIST

    @pytest.mark.parametrize("token", TOKENS.values(), ids=lambda token: token.name)
    def test_reads_nothing_from_an_empty_call(self, token):
        assert token.read({}) is None

    @given(snapshots)
    def test_never_fails_on_a_call_that_holds_anything(self, snapshot):
        for token in (
            *TOKENS.values(),
            find_token("custom.a.0.b"),
            find_token("tags.Region"),
            find_token("answer.1"),
        ):
            as_text(token.read(snapshot))

    def test_tells_which_tokens_wait_for_the_end_and_for_a_web_session(self):
        names = frozenset({"ani", "dialed_time", "gclid", "tags.Region", "custom.score"})
        assert end_only(names) == {"dialed_time"}
        assert web_session_only(names) == {"gclid"}

    def test_marks_personal_data(self):
        personal = {name for name, token in TOKENS.items() if token.personal}
        assert {"ani", "ani_full_name", "visitor_ip_address", "rec_audiourl"} <= personal
        assert not personal & {"callid", "tracking", "location_name", "dialstatus"}


class TestReading:
    @pytest.mark.parametrize(
        ("number", "expected"),
        [
            ("+17776734736", "7776734736"),
            ("+442079460958", "+442079460958"),
            ("+1777673473", "+1777673473"),
            ("anonymous", "anonymous"),
            (None, None),
        ],
    )
    def test_writes_phone_numbers_nationally_in_north_america_only(self, number, expected):
        assert read("ani", {"from": number}) == expected

    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            ("answered", "ANSWER"),
            ("no_answer", "NOANSWER"),
            ("busy", "BUSY"),
            ("ivr", "IVR"),
            ("failed", "FAILED"),
            ("voicemail", "VOICEMAIL"),
            (None, None),
        ],
    )
    def test_writes_the_outcome_in_known_words(self, status, expected):
        assert read("dialstatus", {"status": status}) == expected

    @pytest.mark.parametrize(
        ("value", "expected"), [(True, "1"), (False, "0"), (1, "1"), ("no", "0"), ("?", None)]
    )
    def test_writes_yes_and_no_as_1_and_0(self, value, expected):
        assert read("repeat_caller", {"repeat_caller": value}) == expected
        assert read("ani_is_valid", {"caller": {"is_valid": value}}) == expected

    def test_normalises_times_to_utc_with_milliseconds(self):
        snapshot = {"started_at": "2019-03-28T02:05:00+02:00"}
        assert read("call_start_time", snapshot) == "2019-03-28T00:05:00.000Z"

    def test_writes_midnight_and_noon_of_lookups_with_twelve(self):
        snapshot = {"caller": {"updated_at": "2020-10-03T00:05:09.500Z"}}
        assert read("ani_updated_at", snapshot) == "3 Oct 2020 12:05:09 AM"
        snapshot = {"caller": {"updated_at": "2020-10-03T12:00:00Z"}}
        assert read("ani_updated_at", snapshot) == "3 Oct 2020 12:00:00 PM"

    def test_keeps_a_duration_of_zero(self):
        assert read("answered_time", {"talk_s": 0}) == "0"

    def test_joins_all_answers_outside_of_a_repeat(self):
        answers = [{"question": "one", "response": "1"}, {"question": "two", "response": 2}]
        assert read("response", {"responses": answers}) == "1, 2"
        assert read("question", {"responses": answers}) == "one, two"

    @pytest.mark.parametrize(
        ("token", "short", "value"),
        [
            ("visitor_ip_address", "ip", "47.156.108.175"),
            ("visitor_browser_family", "browser", "Firefox"),
            ("first_page_landed_on", "landing_page", "https://example.com"),
            ("visitor_operating_system", "os", "Mac OS X"),
        ],
    )
    def test_knows_the_short_names_of_the_web_session(self, token, short, value):
        assert read(token, {"visitor": {short: value}}) == value

    def test_falls_back_to_the_web_session_and_to_the_campaign(self):
        assert read("session_id", {"visitor": {"session_id": "s"}}) == "s"
        assert read("domain_name", {"campaign": {"domain": "example.com"}}) == "example.com"

    def test_reads_the_option_that_was_chosen_last(self):
        options = [{"key": "1", "label": "Sales"}, {"key": 2, "label": "Parts"}]
        assert read("option_key", {"options": options}) == "2"
        assert read("option_name", {"options": options}) == "Parts"
        assert read("option_name", {"options": ["Parts"]}) is None

    @pytest.mark.parametrize(
        ("snapshot", "expected"),
        [
            ({"from": "anonymous", "status": "no_answer"}, "anonymous. Not answered."),
            (
                {"from": "+442079460958", "location": {"name": "Leeds"}, "direction": "outbound"},
                "+442079460958 to Leeds.",
            ),
            ({"caller": {"first_name": "Ann"}, "status": "answered"}, "Ann. Answered."),
            ({"location": {"name": "Leeds"}}, "an unknown caller to Leeds."),
        ],
    )
    def test_sums_up_what_is_known(self, snapshot, expected):
        direction = "Outbound" if "direction" in snapshot else "Inbound"
        assert read("call_summary", snapshot) == f"{direction} call from {expected}"

    def test_takes_the_call_for_the_client_where_analytics_knows_none(self):
        assert read("analytics_client_id", {"call_id": "c", "visitor": {"global_id": "g"}}) == "g"
        assert read("analytics_client_id", {"call_id": "c"}) == "c"

    @pytest.mark.parametrize(
        ("snapshot", "kind"),
        [
            ({"number_type": "static", "campaign": {"kind": "digital"}}, "Static"),
            ({"campaign": {"kind": "digital"}}, "Dynamic"),
            ({"campaign": {"kind": "offline"}}, "Static"),
            ({"tracking_number": "+15550001111"}, "Static"),
            ({"number_type": "other", "tracking_number": "+15550001111"}, None),
            ({"campaign": []}, None),
        ],
    )
    def test_tells_dynamic_numbers_from_one_to_one(self, snapshot, kind):
        assert read("phone_type", snapshot) == kind
        assert read("is_dynamic", snapshot) == {"Static": "0", "Dynamic": "1"}.get(kind)

    @pytest.mark.parametrize(
        ("snapshot", "seconds"),
        [
            ({"talk_s": 29, "recording": {"url": "https://a.example/1.mp3"}}, "29"),
            ({"talk_s": 29, "recording": {"duration_s": 4}}, "29"),
            ({"talk_s": 29, "recorded_s": 4}, "29"),
            ({"talk_s": 29, "recorded_s": 0, "recording": {"url": ""}}, "0"),
            ({"talk_s": 29}, "0"),
            ({"recorded_s": 4}, None),
        ],
    )
    def test_counts_the_talk_of_recorded_calls(self, snapshot, seconds):
        assert read("recorded_talk_time", snapshot) == seconds

    def test_joins_what_was_done_and_tells_its_ends(self):
        call = {"actions": ["Menu", "Find Me", "Hang up"]}
        names = ("all_actions", "first_action", "last_action")
        assert [read(name, call) for name in names] == ["Menu, Find Me, Hang up", "Menu", "Hang up"]
        assert [read(name, {"actions": []}) for name in names] == [None] * 3

    @pytest.mark.parametrize(
        ("snapshot", "all_actions", "transfer"),
        [
            ({"status": "no_answer"}, None, None),
            ({"target": "+15550001111"}, "Transfer", None),
            (
                {"target": "+15550001111", "recording": {"url": "https://a.example/1.mp3"}},
                "Transfer, Recorded Call",
                None,
            ),
            ({"options": [{"key": "1"}]}, "Virtual Receptionist", None),
            (
                {"options": [{"key": "1"}], "ringing_at": "2026-03-28T00:05:01.000Z"},
                "Virtual Receptionist",
                "Virtual Receptionist",
            ),
            (
                {"options": [{"key": "1"}], "target": "+15550001111", "transfer_type": "Find Me"},
                "Virtual Receptionist, Find Me",
                "Find Me",
            ),
            (
                {"click": {"id": "7"}, "target": "+15550001111", "status": "voicemail"},
                "Click-to-Call, Voicemail",
                "Click-to-Call",
            ),
        ],
    )
    def test_tells_actions_by_the_events_where_none_are_told(self, snapshot, all_actions, transfer):
        assert read("all_actions", snapshot) == all_actions
        ends = all_actions.split(", ") if all_actions else [None]
        assert read("first_action", snapshot) == ends[0]
        assert read("last_action", snapshot) == ends[-1]
        assert read("transfer_type", snapshot) == transfer

    def test_takes_the_keys_of_options_and_answers_where_none_are_told(self):
        call = {"options": [{"key": "1"}, {"key": None}], "responses": [{"response": 90210}]}
        assert read("entered_keys", call) == "1,90210"
        assert read("entered_keys", {**call, "keys": ["2", "90210"]}) == "2,90210"
        assert read("entered_postcodes", {"postcodes": ["2000", "3000"]}) == "2000,3000"

    def test_leaves_gaps_out_of_an_address(self):
        caller = {"city": "TORONTO", "state": "ON", "street_line_1": ""}
        assert read("ani_address", {"caller": caller}) == "TORONTO, ON"

    def test_puts_a_name_together_that_is_told_in_parts(self):
        caller = {"first_name": "Ann", "middle_name": "", "last_name": "O'Neil & Sons"}
        assert read("ani_full_name", {"caller": caller}) == "Ann O'Neil & Sons"
        assert read("ani_full_name", {"caller": {**caller, "full_name": "Annie"}}) == "Annie"
        assert read("ani_full_name", {"caller": {"first_name": "", "city": "Springwood"}}) is None

    def test_makes_one_id_a_request(self):
        first, again, second = (
            read("request_id", {"delivery": {"id": "d", "attempt": number}}) for number in (1, 1, 2)
        )
        assert first == again != second
        assert read("sent_at", {"delivery": {"sent_at": 0}}) == "1970-01-01T00:00:00.000Z"
        assert read("sent_at", {"delivery": {"sent_at": 2**40}}) is None

    def test_reads_one_tag_by_name(self):
        assert read("tags.Sales Region", {"tags": {"Sales Region": "south"}}) == "south"
        assert read("tags.Other", {"tags": {"Region": "south"}}) is None

    def test_reads_custom_fields_at_any_depth(self):
        custom = {"a": {"b": [{"c": 7}]}, "Call.From": "x", "list": [1, 2]}
        assert read("custom.a.b.0.c", {"custom": custom}) == 7
        assert read("custom.Call.From", {"custom": custom}) == "x"
        assert read("custom.list", {"custom": custom}) == [1, 2]
        assert read("custom.a.b.9.c", {"custom": custom}) is None
        assert read("custom.a.x.y", {"custom": custom}) is None


class TestGrammar:
    @staticmethod
    def shown(text):
        return [f"<{p.name}>" if isinstance(p, Token) else p for p in split(text)]

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", []),
            ("no tokens", ["no tokens"]),
            ("%ani%", ["<ani>"]),
            ("%ani%%callid%", ["<ani>", "<callid>"]),
            ("Call from %ani%!", ["Call from ", "<ani>", "!"]),
            ("50% of 100%", ["50% of 100%"]),
            ("100%%ani%", ["100%", "<ani>"]),
            ("%%ani%%", ["%", "<ani>", "%"]),
            ("%e2%9c%93", ["%e2%9c%93"]),
            ("%20%ani%", ["%20", "<ani>"]),
            ("%ad%ani%", ["%ad", "<ani>"]),
            ("q=%C3%A9t%C3%A9", ["q=%C3%A9t%C3%A9"]),
            ("q=%c3%a9t%c3%a9", ["q=%c3%a9t%c3%a9"]),
            ("%account_id%", ["<account_id>"]),
            ("%tags.Sales Region%", ["<tags.Sales Region>"]),
            ("%custom.a.b%", ["<custom.a.b>"]),
            ("% ani %", ["% ani %"]),
            ("%", ["%"]),
        ],
    )
    def test_tells_tokens_from_other_percent_signs(self, text, expected):
        assert self.shown(text) == expected

    @pytest.mark.parametrize(
        ("text", "name", "nearest"),
        [
            ("%anni%", "anni", "ani"),
            ("%ANI%", "ANI", "ani"),
            ("%calid%", "calid", "callid"),
            ("%first_name%", "first_name", "ani_first_name"),
            ("%nonsense%", "nonsense", None),
            ("%caller_zip%", "caller_zip", None),
            ("%fax% and %date%", "fax", None),
            ("%tags%%tagz.x%", "tagz.x", None),
            ("%custom%", "custom", None),
        ],
    )
    def test_refuses_unknown_names_and_offers_the_nearest(self, text, name, nearest):
        with pytest.raises(UnknownToken) as error:
            split(text)
        assert (error.value.name, error.value.nearest) == (name, nearest)
        assert f"%{name}%" in str(error.value)
        assert nearest is None or f"%{nearest}%" in str(error.value)

    @given(st.text() | st.text("%abcdef0123_.ntgsi"))
    def test_loses_nothing_of_a_text(self, text):
        try:
            parts = split(text)
        except UnknownToken:
            return
        assert "".join(p if isinstance(p, str) else f"%{p.name}%" for p in parts) == text
