"""Call.Complete: from its screen, through intake, to a receiver that knows its document.

Every value is worked out by hand from the call of `tests.journeys.systems`.
"""

from urllib.parse import parse_qsl, urlsplit

import pytest
from django.test import Client

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


class TestCallComplete:
    def expected(self, world: World) -> dict[str, str]:
        return {
            "Action": "Webhook",
            "Event": "Call.Complete",
            "Account.Sid": world.account.public_id,
            "Property.Sid": world.location.public_id,
            "Property.Name": "motors.example",
            "Property.Type": "Site",
            "Call.Sid": "2079571437",
            "Call.StartDate": "2026-07-01 14:00:00",
            "Call.From": "+19055552955",
            "Call.From.Country": "US",
            "Call.From.Region": "MI",
            "Call.From.City": "Lansing",
            "Call.To": "+18669592359",
            "Call.To.Type": "Dynamic",
            "Call.To.Name": "Web, brakes",
            "Call.Duration": "161",
            "Call.Disposition": "ANSWERED",
            "Call.Recording.Uri": "https://a.example/1.mp3",
            "Call.Endpoint": "+19052198236",
            "Call.Survey.Type": "Sale",
            "Call.Survey.Value": "250",
            "Call.Survey.Custom1": "New customer",
            "Call.Survey.Custom2": "Red",
            "Call.Survey.Custom3": "Weekend",
            "Call.Survey.UniqueCode": "0042",
            "Call.Prompts.Postcode": "90210,10001",
            "Call.Prompts.Keys": "1,90210,10001",
            "Attribution.Source": "google",
            "Attribution.Medium": "cpc",
            "Attribution.Campaign": "2026 promo",
            "Attribution.Content": "banner 1",
            "Session.Traffic.Type": "Campaign",
            "Session.Keywords": "brake pads near me",
            "Session.ConversionUri": "https://motors.example/contact",
            "Session.LandingUri": "https://motors.example/landing?x=1&y=2",
            "Google.Analytics.ClientId": "1033501218.1553731200",
            "Google.AdWords.ClickId": "Cj0KCQ",
        }

    @pytest.mark.parametrize("method", ["POST", "GET"])
    def test_sends_every_parameter(
        self, world: World, browser: Client, receiver: Receiver, method: str
    ) -> None:
        url = receiver.url("/ok/complete")
        saved(browser, "callcomplete", name="Legacy", url=url, submit_type=method)

        report(world, begin(), end())

        (request,) = receiver.requests
        sent = urlsplit(request.path).query if method == "GET" else request.body.decode()
        assert request.line.startswith(f"{method} /ok/complete")
        assert dict(parse_qsl(sent, strict_parsing=True)) == self.expected(world)
        assert "Call.Complete" in log_of(browser)

    @pytest.mark.parametrize(
        ("status", "disposition"),
        [
            ("no_answer", "NO ANSWER"),
            ("voicemail", "NO ANSWER"),
            ("busy", "BUSY"),
            ("ivr", "IVR"),
            ("failed", "FAILED"),
        ],
    )
    def test_leaves_out_what_is_not_known(
        self, world: World, browser: Client, receiver: Receiver, status: str, disposition: str
    ) -> None:
        offline_number(world)
        url = receiver.url("/ok/complete")
        saved(browser, "callcomplete", name="Legacy", url=url, submit_type="POST")

        report(world, {**UNANSWERED, "status": status})

        (request,) = receiver.requests
        sent = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        assert sent == {
            "Action": "Webhook",
            "Event": "Call.Complete",
            "Account.Sid": world.account.public_id,
            "Property.Sid": world.location.public_id,
            "Property.Name": "Avocado Motors",
            "Property.Type": "Site",
            "Call.Sid": "c-9",
            "Call.StartDate": "2026-01-05 03:00:00",
            "Call.From": "anonymous",
            "Call.From.Country": "",
            "Call.From.Region": "",
            "Call.From.City": "",
            "Call.To": "+15550009999",
            "Call.To.Type": "Static",
            "Call.To.Name": "",
            "Call.Duration": "40",
            "Call.Disposition": disposition,
        }
