"""A post-call action: from its screen, through intake, to a page that knows its document.

Every value is worked out by hand from the call of `tests.journeys.systems`.
"""

from urllib.parse import parse_qsl, urlsplit

import pytest
from django.test import Client

from apps.webhooks.gallery.parameters import POST_CALL
from tests.builders import World
from tests.delivery.receiver import Receiver
from tests.journeys.systems import (
    UNANSWERED,
    begin,
    end,
    log_of,
    offline_number,
    report,
    saved,
)

pytestmark = pytest.mark.django_db(transaction=True)

POST_CALL_VALUES = {
    "all_actions": "Virtual Receptionist, Find Me, Recorded Call",
    "click_description": "Footer button",
    "call_duration": "2.68",  # 161 / 60 = 2.683
    "call_type": "Click-to-call",
    "called_number": "8669592359",
    "caller_id": "9055552955",
    "click_id": "c2c-311",
    "date_time": "2026-07-01 10:00:00",  # 14:00 UTC; New York is four hours behind in July
    "enhanced_minutes": "2.25",  # recorded, so the talk time: 135 / 60
    "first_action": "Virtual Receptionist",
    "intelligent_minutes": "0.43",  # 26 / 60 = 0.433
    "last_action": "Recorded Call",
    "lookup_city": "Lansing",
    "lookup_first_name": "John",
    "lookup_last_name": "Smith",
    "lookup_state": "MI",
    "lookup_street_address": "2220 Marine Drive",
    "lookup_zip_code": "40293-1001",
    "phone_label": "Web, brakes",
    "recording_duration": "134",
    "rounded_enhanced_minutes": "3",
    "rounded_intelligent_minutes": "1",
    "rounded_talk_minutes": "3",
    "sid": "5da13c4f-753f-448a-81a1-12456785be20",
    "talk_minutes": "2.25",
    "transfer_type": "Find Me",
    "transferred_to_number": "9052198236",
}
ATTRIBUTION_VALUES = {
    "st_activity_keyword": "brake repair",
    "st_baseuri": "https://motors.example/landing?x=1&y=2",
    "st_browser": "Chrome",
    "st_campaign": "2026 promo",
    "st_displayed_timestamp": "2026-07-01 09:58:07",
    "st_document_title": "Brakes & more",
    "st_domain_set_id": "88",
    "st_gclid": "Cj0KCQ",
    "st_google_ua_client_id": "1033501218.1553731200",
    "st_ibp_custom": "spring banner",
    "st_ibp_unique_id": "u-20931",
    "st_ip_address": "74.112.125.5",
    "st_location_name": "Avocado Motors",
    "st_os": "Mac OS X",
    "st_pid": "eb74e7c6-36ae-434e-a6b6-0b977440db1e",
    "st_platform": "Google Ads",
    "st_pool_name": "Pool one",
    "st_rank": "2",
    "st_referrer": "google.com",
    "st_search_term": "brake pads near me",
    "st_sourceguard": "1",
    "st_url_tag": "adgroup=7",
}


class TestPostCallAction:
    def test_sends_all_parameters_in_the_order_of_the_screen(
        self, world: World, browser: Client, receiver: Receiver
    ) -> None:
        keys = sorted(POST_CALL, reverse=True)
        saved(
            browser,
            "postcallaction",
            name="Data warehouse",
            option="call_details",
            submit_type="GET",
            domain=receiver.url(""),
            page="/ok/ibp/post_call.php",
            static_parameters="client_id=1234&note=a%26b",
            has_attribution="on",
            **{"parameters-key": keys, "parameters-name": [f"my_{key}" for key in keys]},
        )

        report(world, begin(), end())

        (request,) = receiver.requests
        target = urlsplit(request.path)
        assert request.line.startswith("GET /ok/ibp/post_call.php?")
        assert request.body == b""
        assert parse_qsl(target.query, keep_blank_values=True, strict_parsing=True) == [
            ("client_id", "1234"),
            ("note", "a&b"),
            *((f"my_{key}", POST_CALL_VALUES[key]) for key in keys),
            *ATTRIBUTION_VALUES.items(),
        ]
        shown = log_of(browser)
        assert "Data warehouse" in shown
        assert "my_talk_minutes=2.25" in shown

    def test_sends_no_attribution_of_a_one_to_one_call(
        self, world: World, browser: Client, receiver: Receiver
    ) -> None:
        offline_number(world)
        minutes = [key for key in POST_CALL if "minutes" in key or key == "call_duration"]
        for name in ("First", "Second"):
            saved(
                browser,
                "postcallaction",
                name=name,
                option="call_details",
                submit_type="POST",
                domain=receiver.url(""),
                page=f"ok/{name}",
                has_attribution="on",
                **{"parameters-key": minutes, "parameters-name": minutes},
            )

        report(world, UNANSWERED)

        assert {request.line for request in receiver.requests} == {
            "POST /ok/First HTTP/1.1",
            "POST /ok/Second HTTP/1.1",
        }
        for request in receiver.requests:
            sent = dict(parse_qsl(request.body.decode(), strict_parsing=True))
            assert sent == {
                "call_duration": "0.67",
                "enhanced_minutes": "0.00",
                "intelligent_minutes": "0.00",
                "rounded_enhanced_minutes": "0",
                "rounded_intelligent_minutes": "0",
                "rounded_talk_minutes": "0",
                "talk_minutes": "0.00",
            }
