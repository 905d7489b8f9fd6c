"""The systems that Hookline replaces: their screens, and one realistic call for all of them."""

import json
from typing import Any

from django.test import Client
from django.urls import reverse

from apps.campaigns.models import CampaignKind
from apps.delivery.models import Delivery
from tests.builders import World
from tests.delivery.sending import drain

USER_AGENT = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_5) Chrome/78.0.3904.87 Safari/537.36"
CALLER = {
    "full_name": "John Smith",
    "first_name": "John",
    "last_name": "Smith",
    "type": "Single Family",
    "street_line_1": "2220 Marine Drive",
    "city": "Lansing",
    "state": "MI",
    "zip": "40293-1001",
    "country_code": "US",
    "lat": 42.7325,
    "long": -84.5555,
}
VISITOR = {
    "session_id": "eb74e7c6-36ae-434e-a6b6-0b977440db1e",
    "activity_keyword": "brake repair",
    "landing_page": "https://motors.example/landing?x=1&y=2",
    "page_converted_on": "https://motors.example/contact",
    "browser": "Chrome",
    "os": "Mac OS X",
    "user_agent": USER_AGENT,
    "number_shown_at": "2026-07-01T13:58:07Z",
    "page_title": "Brakes & more",
    "domain_set_id": 88,
    "gclid": "Cj0KCQ",
    "ga_client_id": "1033501218.1553731200",
    "custom": "spring banner",
    "unique_id": "u-20931",
    "ip": "74.112.125.5",
    "ad_platform": "Google Ads",
    "pool_name": "Pool one",
    "rank": 2,
    "referral_domain": "google.com",
    "keyword": "brake pads near me",
    "is_sourceguard": True,
    "url_tag": "adgroup=7",
    "medium": "Paid",
    "utm_source": "google",
    "utm_medium": "cpc",
    "utm_campaign": "2026 promo",
    "utm_content": "banner 1",
    "rule": "Global Replacement - Toll Free",
    "multi_session": True,
    "session_tag_id": 1293291,
    "session_tag_data": "sample tag data",
    "session_tag_at": "2026-07-01T13:59:00Z",
}
KEYWORD_LISTS = [
    {
        "id": 234,
        "name": "ListA",
        "keywords": [
            {"keyword": "car", "agent": "00:00:00|00:01:04", "caller": "00:00:00|00:00:03"},
            {"keyword": "bus", "agent": "", "caller": "00:00:00|00:00:03"},
        ],
    }
]


def dress(world: World) -> None:
    """Give the world's number what a digital campaign's number has."""
    world.account.name = "ABC Company"
    world.account.has_reverse_lookup = True
    world.account.save(update_fields=["name", "has_reverse_lookup"])
    location = world.location
    location.name = "Avocado Motors"
    location.client_account_id, location.client_location_id = "4062", "5969255"
    location.time_zone = "America/Chicago"
    location.save()
    world.campaign.kind = CampaignKind.DIGITAL
    world.campaign.domain = "motors.example"
    world.campaign.save(update_fields=["kind", "domain"])
    world.number.number, world.number.label = "+18669592359", "Web, brakes"
    world.number.save(update_fields=["number", "label"])


def begin() -> dict[str, Any]:
    """The call comes in, from a web session."""
    return {
        "id": "e1",
        "type": "call.started",
        "call_id": "2079571437",
        "occurred_at": "2026-07-01T14:00:00.250Z",
        "tracking_number": "+18669592359",
        "from": "+19055552955",
        "direction": "inbound",
        "call_type": "Click-to-call",
        "session_id": "5da13c4f-753f-448a-81a1-12456785be20",
        "click": {"id": "c2c-311", "description": "Footer button"},
        "caller": CALLER,
        "visitor": VISITOR,
        "route_key": "R7",
        "rich_data": {"linkedin": "jsmith"},
        "study": {"id": 8470718, "custom_id": 31, "custom_text": "s1", "custom_text2": "s2"},
        "ad": {"id": 4250816, "custom_id": 32, "custom_text": "a1", "custom_text4": "a4"},
        "advertiser": {"custom_text": "v1", "custom_text2": "v2"},
    }


def end() -> dict[str, Any]:
    """It was answered after the menu and find-me, recorded, and has ended."""
    return {
        "id": "e2",
        "type": "call.ended",
        "call_id": "2079571437",
        "occurred_at": "2026-07-01T14:02:41.000Z",
        "status": "answered",
        "answered_at": "2026-07-01T14:00:26.000Z",
        "duration_s": 161,
        "talk_s": 135,
        "menu_s": 26,
        "ring_count": 3,
        "target": "+19052198236",
        "transfer_type": "Find Me",
        "actions": ["Virtual Receptionist", "Find Me", "Recorded Call"],
        "keys": ["1", "90210", "10001"],
        "postcodes": ["90210", "10001"],
        "recording": {"id": "rec-5501", "url": "https://a.example/1.mp3", "duration_s": 134},
        "survey": {
            "type": "Sale",
            "value": 250,
            "custom_1": "New customer",
            "custom_2": "Red",
            "custom_3": "Weekend",
            "unique_code": "0042",
        },
        "tag_ids": [12, 17],
        "sms_response": "OK",
        "registered_dnc": False,
        "segment_name": "North",
    }


def update() -> dict[str, Any]:
    """Later its transcript and analysis are there."""
    return {
        "id": "e3",
        "type": "transcript.ready",
        "call_id": "2079571437",
        "occurred_at": "2026-07-01T14:09:00Z",
        "transcript": "Caller: And put on Agent: Come",
        "analysis": {"lead": "Good lead", "voicemail": "No voicemail"},
        "keyword_lists": KEYWORD_LISTS,
    }


UNANSWERED: dict[str, Any] = {
    "id": "u1",
    "type": "call.ended",
    "call_id": "c-9",
    "occurred_at": "2026-01-05T03:00:40Z",
    "tracking_number": "+15550009999",
    "from": "restricted",
    "started_at": "2026-01-05T03:00:00Z",
    "status": "no_answer",
}


def saved(browser: Client, screen: str, **answers: Any) -> None:
    """Fill a screen in and save it."""
    page = browser.post(reverse(f"admin:faces_{screen}_add"), {"is_active": "on", **answers})
    assert page.status_code == 302, page.context["adminform"].form.errors


def report(world: World, *events: dict[str, Any]) -> None:
    """Post events as the phone platform does, and send what follows."""
    answer = Client(headers=world.headers).post(
        "/api/v1/events", json.dumps(events), content_type="application/json"
    )
    assert answer.status_code == 202, answer.json()
    assert not answer.json()["rejected"]
    drain()


def log_of(browser: Client) -> str:
    """Return what the delivery log shows of the one delivery."""
    delivery = Delivery.objects.get()
    shown = browser.get(reverse("admin:delivery_delivery_changelist")).content.decode()
    assert str(delivery.pk) in shown
    page = browser.get(reverse("admin:delivery_delivery_change", args=[delivery.pk]))
    return str(page.content.decode())


def offline_number(world: World) -> None:
    number = world.menu_number
    number.number = "+15550009999"
    number.save(update_fields=["number"])
