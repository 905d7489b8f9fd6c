"""The screen of a post-call action, by hand: parameters are added, named and moved."""

import os
from urllib.parse import parse_qsl, urlsplit

from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.builders import World
from tests.delivery.receiver import Receiver

EXAMPLE = "#hl-example"


def add(page: Page, label: str, name: str) -> None:
    """Choose a parameter, press the plus, and name it."""
    page.get_by_label("Parameter to add").select_option(label=label)
    page.get_by_role("button", name="Add this parameter").click()
    field = page.get_by_label(f"Name of {label}", exact=True)
    expect(field).to_be_focused()
    field.fill(name)


def names(page: Page) -> list[str]:
    return [str(field.input_value()) for field in page.locator("[name=parameters-name]").all()]


class TestPostCallAction:
    def test_is_filled_in_tried_and_saved(
        self, open_page: OpenPage, shop: World, receiver: Receiver
    ) -> None:
        page = open_page(shop.owner)
        page.goto(reverse("admin:faces_postcallaction_add"))
        page.get_by_label("Name", exact=False).first.fill("Warehouse")
        page.get_by_label("Domain").fill(receiver.url(""))
        page.get_by_label("Page", exact=True).fill("/ok/post_call.php")
        page.get_by_label("Static Parameters").fill("client_id=1234")
        add(page, "Date/Time", "when")
        add(page, "Caller ID", "from")
        add(page, "Talk Minutes", "minutes")
        expect(page.locator(EXAMPLE)).to_contain_text(
            f"GET {receiver.url('/ok/post_call.php')}?client_id=1234"
            "&when=2019-03-27%2020%3A05%3A00&from=7776734736&minutes=0.48"
        )

        up = page.get_by_role("button", name="Move Caller ID up")
        up.focus()
        page.keyboard.press("Enter")
        expect(page.locator(EXAMPLE)).to_contain_text("client_id=1234&from=7776734736&when=")
        assert names(page) == ["from", "when", "minutes"]
        expect(page.get_by_role("button", name="Move Caller ID down")).to_be_focused()
        page.get_by_role("button", name="Remove Talk Minutes").click()
        expect(page.locator("[name=parameters-name]")).to_have_count(2)
        # The example is made anew, its button with it.
        expect(page.locator(EXAMPLE)).not_to_contain_text("minutes=")

        page.locator(EXAMPLE).get_by_role("button").click()
        expect(page.locator("#hl-test")).to_contain_text("Works")
        (request,) = receiver.requests
        assert request.headers["webhook-test"] == "true"
        assert parse_qsl(urlsplit(request.path).query)[0] == ("client_id", "1234")
        self.shots(page, "post-call")

        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_role("link", name="Warehouse").last.click()
        expect(page.get_by_label("Static Parameters")).to_have_value("client_id=1234")
        assert names(page) == ["from", "when"]

    def test_takes_a_click_while_its_example_is_made_anew(
        self, open_page: OpenPage, shop: World, receiver: Receiver
    ) -> None:
        page = open_page(shop.owner)
        page.goto(reverse("admin:faces_postcallaction_add"))
        page.get_by_label("Domain").fill(receiver.url(""))
        page.get_by_label("Page", exact=True).fill("/ok/post_call.php")
        page.get_by_label("Static Parameters").fill("a=before")
        button = page.locator(EXAMPLE).get_by_role("button")
        expect(button).to_contain_text("a=before")

        button.hover()
        page.mouse.down()
        page.get_by_label("Static Parameters").evaluate(
            "field => { field.value = 'a=after'; field.dispatchEvent(new Event('change',"
            " {bubbles: true})); }"
        )
        expect(button).to_contain_text("a=after")
        page.mouse.up()

        expect(page.locator("#hl-test")).to_contain_text("Works")
        (request,) = receiver.requests
        assert dict(parse_qsl(urlsplit(request.path).query)) == {"a": "after"}

    @staticmethod
    def shots(page: Page, name: str) -> None:
        where = os.environ.get("SHOTS")
        if not where:
            return
        for scheme in ("light", "dark"):
            page.evaluate(
                "dark => document.documentElement.classList.toggle('dark', dark)", scheme == "dark"
            )
            for width in (1440, 390):
                page.set_viewport_size({"width": width, "height": 900})
                page.screenshot(path=f"{where}/{name}-{scheme}-{width}.png", full_page=True)
