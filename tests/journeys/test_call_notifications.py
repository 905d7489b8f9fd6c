"""Call notifications: from their screen, through intake, to a receiver that knows their document.

Every value is worked out by hand from the call of `tests.journeys.systems`.
"""

import hashlib
import hmac
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.delivery.models import Delivery
from tests.builders import World
from tests.delivery.receiver import Received, Receiver
from tests.delivery.sending import drain, fall_due
from tests.journeys.systems import (
    KEYWORD_LISTS,
    UNANSWERED,
    USER_AGENT,
    begin,
    end,
    offline_number,
    report,
    saved,
    update,
)

pytestmark = pytest.mark.django_db(transaction=True)

DOCUMENTS = Path(__file__).parent / "documents"
KEY, PUBLIC_KEY = "a key the receiver has", "4662F088F821DF150AD475B678CB723E"
MOMENT = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{3})?")


def received(request: Received) -> dict[str, Any]:
    """Read a notification as its document says: the signature is over the body, as it came."""
    digest = hmac.new(KEY.encode(), request.body, hashlib.sha256).hexdigest().upper()
    assert request.headers["ms-signature"] == f"sha256={digest}"
    assert request.headers["x-PublicKey"] == PUBLIC_KEY
    assert request.headers["x-Source-system"] == "Telmetrics Inc."
    assert request.headers["Content-Type"] == "application/json; charset=utf-8"
    body: dict[str, Any] = json.loads(request.body)
    return body


def sample(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((DOCUMENTS / f"{name}.json").read_text())
    return document.get("RequestBody", document)


def assert_alike(ours: Any, theirs: Any, path: str = "$") -> None:
    """Compare keys, nesting and types; where the sample has null, its type is unknown."""
    if theirs is None:
        return
    if isinstance(theirs, dict):
        assert isinstance(ours, dict), path
        assert ours.keys() == theirs.keys(), path
        for name, value in theirs.items():
            assert_alike(ours[name], value, f"{path}.{name}")
    elif isinstance(theirs, list):
        assert isinstance(ours, list), path
        for index, item in enumerate(theirs[:1]):
            assert_alike(ours[index], item, f"{path}[{index}]")
    else:
        assert type(ours) is type(theirs), (path, ours, theirs)


def number_of(text: str) -> int:
    """Return the number of an id that is none: the first 53 bits of its SHA-256."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:16], 16) >> 11


SESSION: dict[str, Any] = {
    "SessionId": "eb74e7c6-36ae-434e-a6b6-0b977440db1e",
    "RuleDescription": "Global Replacement - Toll Free",
    "LandingPageUrl": "https://motors.example/landing?x=1&y=2",
    "ReferrerUrl": "google.com",
    "ip_address": "74.112.125.5",
    "user_agent": USER_AGENT,
    "session_tag": {
        "tag_id": 1293291,
        "tag_data": "sample tag data",
        "tag_time": "2026-07-01T08:59:00",
    },
}
START: dict[str, Any] = {
    "Action": "CallDetails.CallStartCall",
    "CallDate": "2026-07-01T14:00:00.250",
    "CalledNumber": "8669592359",
    "CallerNumber": "9055552955",
    "OrgGroupName": "ABC Company",
    "OrgGroupID": 4062,
    "OrganizationID": 4062,
    "RouteKey": "R7",
    "CallerDetails": {
        "PhoneNumber": "9055552955",
        "Name": "John Smith",
        "Address": "2220 Marine Drive",
        "City": "Lansing",
        "Zip": "40293-1001",
        "State": "MI",
        "ShortZip": "40293",
        "RichData": {"linkedin": "jsmith"},
    },
    "StudyDetails": {
        "StudyID": 8470718,
        "CustomID": "31",
        "CustomText": "s1",
        "CustomText2": "s2",
        "CustomText3": None,
    },
    "AdDetails": {
        "AdDefinitionID": 4250816,
        "CustomID": "32",
        "CustomText": "a1",
        "CustomText2": None,
        "CustomText3": None,
        "CustomText4": "a4",
    },
    "AdvertiserDetails": {
        "AdvertiserID": 5969255,
        "ClientCode": "5969255",
        "CustomText": "v1",
        "CustomText2": "v2",
    },
    "AttributionDetails": SESSION,
}
# What both of the later ones have. The location is in Chicago, five hours behind in July.
ENDED: dict[str, Any] = {
    "TelmetricsId": 2079571437,
    "TelmetricsStudyID": 8470718,
    "CalledNumber": "8669592359",
    "TerminationNumber": "9052198236",
    "StartTime": "2026-07-01T09:00:00",
    "AnswerTime": "2026-07-01T09:00:26",
    "EndTime": "2026-07-01T09:02:41",
    "MonitorStartTime": "2026-07-01T14:00:00.250",
    "MonitorEndTime": "2026-07-01T14:02:41.000",
    "RingCount": 3,
    "CallSeconds": 135,
    "CallerNumber": "9055552955",
    "TimeZone": "Central",
    "Incomplete": True,
    "CallerName": "John Smith",
    "CallerStreet": "2220 Marine Drive",
    "CallerCity": "Lansing",
    "CallerState": "MI",
    "CallerZip": "40293-1001",
    "CallerAddress": "2220 Marine Drive, Lansing, MI, 40293-1001",
    "VoiceRecordingUrl": "https://a.example/1.mp3",
    "VoiceMailDetected": False,
}
PREPROCESSED: dict[str, Any] = {
    **ENDED,
    "Action": "CallDetails.CallPreprocessed",
    "OrganizationId": 4062,
    "AnswerStatus": 1,
    "SmsResponse": "OK",
    "RegisteredDNC": False,
    "CallerType": "Single Family",
    "VoiceRecordID": "rec-5501",
    "Latitude": 42.7325,
    "Longitude": -84.5555,
    "VoiceTrends": None,
    "RouteKey": "R7",
    "SegmentName": "North",
    "CallTranscript": None,
    "OrgGroupID": 4062,
    "OrgGroupName": "ABC Company",
    "CallTags": {"TagIDs": [12, 17]},
    "StudyDetails": {**START["StudyDetails"], "CustomText3": ""},
    "AdDetails": {
        **START["AdDetails"],
        "CustomText2": "",
        "CustomText3": "",
        "AdDefinitionName": "Web, brakes",
    },
    "AdvertiserDetails": {
        **START["AdvertiserDetails"],
        "AdvertiserName": "Avocado Motors",
    },
    "AttributionDetails": SESSION,
}
PROCESSED: dict[str, Any] = {
    **ENDED,
    "Action": "CallDetails.CallProcessed",
    "AnswerStatus": "Answered",
    "OrgGroupId": 4062,
    "VoiceTrends": {"Lead": "Good lead", "VoiceMail": "No voicemail"},
    "CallTranscript": "Caller: And put on Agent: Come",
    "keyword_lists": [{"keyword_list": KEYWORD_LISTS}],
    "StudyDetails": {
        "StudyID": 8470718,
        "CustomID": 31,
        "CustomText": "s1",
        "CustomText2": "s2",
        "CustomText3": "",
    },
    "AdDetails": {
        "AdDefinitionId": 4250816,
        "CustomID": 32,
        "CustomText": "a1",
        "CustomText2": "",
        "CustomText3": "",
        "CustomText4": "a4",
    },
    "AdvertiserDetails": {
        "AdvertiserId": 5969255,
        "ClientCode": 5969255,
        "CustomText": "v1",
        "CustomText2": "v2",
    },
    "AttributionDetails": {
        # The document has a number here.
        "SessionId": number_of("eb74e7c6-36ae-434e-a6b6-0b977440db1e"),
        "RuleDescription": "Global Replacement - Toll Free",
        "LandingPagURL:": "https://motors.example/landing?x=1&y=2",
        "ReferrerURL": "google.com",
        "MultisessionFlag": True,
        "utm_campaign": "2026 promo",
        "utm_term": "brake pads near me",
        "utm_source": "google",
        "utm_medium": "cpc",
        "utm_content": "banner 1",
        "ip_address": "74.112.125.5",
        "user_agent": USER_AGENT,
        "session_tag": SESSION["session_tag"],
    },
}


class TestCallNotifications:
    @staticmethod
    def set_up(browser: Client, url: str, *events: str) -> None:
        saved(
            browser,
            "callnotification",
            name="Marketing",
            url=url,
            events=events or ["begin", "end", "updated"],
            signing_key=KEY,
            key_id=PUBLIC_KEY,
            source_system="Telmetrics Inc.",
        )

    def test_tell_of_start_end_and_later_changes(
        self, world: World, browser: Client, receiver: Receiver
    ) -> None:
        self.set_up(browser, receiver.url("/ok/callback"))

        for event in (begin(), end(), update()):
            report(world, event)

        bodies = [received(request) for request in receiver.requests]
        for body, expected, name in zip(
            bodies,
            (START, PREPROCESSED, PROCESSED),
            ("start", "preprocessed", "processed"),
            strict=True,
        ):
            assert_alike(body, sample(name))
            assert body["Notifications"] == [expected]
            assert body["Attempt"] == 1
            assert re.fullmatch("[0-9a-f]{32}", body["Id"])
            assert body["Properties"]["CollectionType"] == "CallDetails"
            assert MOMENT.fullmatch(body["Properties"]["UTC"])
        for body in bodies[:2]:
            assert body["Properties"]["Organization"] == "4062"
            assert re.fullmatch(
                r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", body["Properties"]["RequestId"]
            )
        shown = browser.get(reverse("admin:delivery_delivery_changelist")).content.decode()
        assert all(str(delivery.pk) in shown for delivery in Delivery.objects.all())

    def test_count_their_attempts(self, world: World, browser: Client, receiver: Receiver) -> None:
        self.set_up(browser, receiver.url("/unavailable-once"), "end")

        report(world, begin(), end(), update())
        fall_due(*Delivery.objects.all())
        drain()

        first, second = map(received, receiver.requests)
        assert (first["Attempt"], second["Attempt"]) == (1, 2)
        assert first["Id"] == second["Id"] == Delivery.objects.get().pk.hex
        assert first["Properties"]["RequestId"] != second["Properties"]["RequestId"]
        assert first["Notifications"] == second["Notifications"] == [PREPROCESSED]

    def test_say_nothing_of_a_session_that_was_not(
        self, world: World, browser: Client, receiver: Receiver
    ) -> None:
        offline_number(world)
        self.set_up(browser, receiver.url("/ok/callback"))

        report(world, UNANSWERED)

        (request,) = receiver.requests
        (told,) = received(request)["Notifications"]
        assert told["AttributionDetails"] is None
        assert (told["AnswerStatus"], told["CallSeconds"], told["AnswerTime"]) == (0, 0, None)
        assert told["CallerNumber"] == "anonymous"
        assert told["StartTime"] == "2026-01-04T21:00:00"
        assert told["TelmetricsId"] == number_of("c-9")
