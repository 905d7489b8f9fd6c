"""Conditions and waits on the page of an attachment, without scripts and without JSON."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.calls.events import Timing
from apps.campaigns.models import Attachment
from tests.builders import World, attach, make_webhook
from tests.conftest import LogIn

pytestmark = pytest.mark.django_db

MANY = {
    "all": [
        {"any": [{"field": "talk_s", "op": "at_least", "value": n} for n in range(8)]}
        for _ in range(2)
    ]
}


@pytest.fixture
def attachment(world: World) -> Attachment:
    return attach(make_webhook(world, "https://93.184.216.34/"), Timing.END)


@pytest.fixture
def browser(world: World, log_in: LogIn) -> Client:
    return log_in(account=world.account)


def page_of(attachment: Attachment) -> str:
    return reverse("admin:campaigns_attachment_change", args=[attachment.pk])


def rows(*typed: tuple[str, str, str]) -> dict[str, list[str]]:
    joins, whats, values = (list(each) for each in zip(*typed, strict=True))
    return {"only_for-join": joins, "only_for-what": whats, "only_for-value": values}


def save(browser: Client, attachment: Attachment, **fields: Any) -> Any:
    form = {"webhook": str(attachment.webhook_id), "timing": "end", "is_active": "on", **fields}
    response = browser.post(page_of(attachment), form)
    attachment.refresh_from_db()
    attachment.__dict__.pop("condition", None)
    return response


class TestTheForm:
    def test_takes_conditions_row_by_row(self, browser: Client, attachment: Attachment) -> None:
        typed = rows(
            ("and", "answered", ""),
            ("and", "duration_min", "1 min"),
            ("or", "tag", "Region = south, north"),
            ("and", "", ""),
        )
        assert save(browser, attachment, **typed).status_code == 302
        assert attachment.conditions == {
            "any": [
                {
                    "all": [
                        {"field": "answered", "op": "is", "value": True},
                        {"field": "duration_s", "op": "at_least", "value": 60},
                    ]
                },
                {
                    "all": [
                        {"field": "tag", "op": "is", "value": ["south", "north"], "name": "Region"}
                    ]
                },
            ]
        }
        shown = browser.get(page_of(attachment)).content.decode()
        assert "Only answered calls of at least 1 min, or calls tagged Region" in shown
        assert 'value="1 min"' in shown

    def test_shows_what_is_wrong_and_keeps_what_was_typed(
        self, browser: Client, attachment: Attachment
    ) -> None:
        typed = rows(("and", "answered", ""), ("and", "talk_min", "<soon>"))
        page = save(browser, attachment, **typed)
        shown = page.content.decode()
        assert page.status_code == 200
        assert "Condition 2: “&lt;soon&gt;” is no time" in shown
        assert 'value="&lt;soon&gt;"' in shown
        assert attachment.conditions == {}

    @pytest.mark.parametrize(
        "posted",
        [
            {"only_for-what": ["answered"]},
            rows(*[("and", "answered", "")] * 40),
            rows(("xor", "nonsense", "")),
        ],
    )
    def test_refuses_forged_rows(
        self, browser: Client, attachment: Attachment, posted: dict[str, Any]
    ) -> None:
        assert save(browser, attachment, **posted).status_code == 200
        assert attachment.conditions == {}

    def test_forgets_conditions_that_were_taken_out(
        self, browser: Client, attachment: Attachment
    ) -> None:
        Attachment.objects.update(conditions={"field": "answered", "op": "is", "value": True})
        save(browser, attachment, **rows(("and", "", "")))
        assert attachment.conditions == {}

    def test_keeps_conditions_that_it_can_not_show(
        self, browser: Client, attachment: Attachment
    ) -> None:
        Attachment.objects.update(conditions=MANY)
        assert "They are kept." in browser.get(page_of(attachment)).content.decode()
        save(browser, attachment)
        assert attachment.conditions == MANY

    def test_refuses_at_the_begin_what_is_known_at_the_end(
        self, browser: Client, attachment: Attachment
    ) -> None:
        page = save(browser, attachment, timing="begin", **rows(("and", "answered", "")))
        assert "nobody knows yet how the call will go" in page.content.decode()

    @pytest.mark.parametrize(
        ("fields", "fault"),
        [
            ({"wait_for": "recording"}, "for how many minutes"),
            ({"wait_min": "5"}, "for how many minutes"),
            ({"wait_for": "recording", "wait_min": "0"}, "greater than or equal to 1"),
            (
                {"wait_for": "recording", "wait_min": "5", "not_later_than_min": "5"},
                "would expire while it waits",
            ),
            ({"only_changes": "on"}, "Only updates change something"),
            ({"once_per_caller_h": "9000"}, "less than or equal to 8760"),
        ],
    )
    def test_refuses_what_makes_no_sense(
        self, browser: Client, attachment: Attachment, fields: dict[str, str], fault: str
    ) -> None:
        page = save(browser, attachment, **fields)
        assert page.status_code == 200
        assert fault in page.content.decode()

    def test_says_all_of_it_in_words(self, browser: Client, attachment: Attachment) -> None:
        save(
            browser,
            attachment,
            wait_for="recording",
            wait_min="10",
            wait_skips="on",
            once_per_caller_h="24",
            **rows(("and", "open", "")),
        )
        words = (
            "Only calls in business hours; one a caller in 24 h;"
            " once the recording is there, skipped after 10 min"
        )
        assert attachment.in_words == words
        listed = browser.get(reverse("admin:campaigns_attachment_changelist"))
        assert words in listed.content.decode()


class TestBusinessHours:
    def test_are_written_by_day(self, browser: Client, world: World) -> None:
        location = world.location
        form = {
            "name": location.name,
            "time_zone": "America/New_York",
            "country": "US",
            "is_active": "on",
            "hours_mon": "9-12, 13:00-17:30",
        }
        address = reverse("admin:accounts_location_change", args=[location.pk])
        page = browser.post(address, {**form, "hours_tue": "late"})
        assert "“late” is no time" in page.content.decode()
        assert browser.post(address, form).status_code == 302
        location.refresh_from_db()
        assert location.business_hours == {"mon": [[540, 720], [780, 1050]]}
        assert "9:00-12:00, 13:00-17:30" in browser.get(address).content.decode()
