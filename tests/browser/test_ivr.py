"""Setting an IVR up by hand: its questions, then its web hook."""

from django.urls import reverse
from playwright.sync_api import expect

from apps.ivr.models import IvrQuestion
from tests.browser.conftest import OpenPage
from tests.builders import World
from tests.delivery.receiver import Receiver


class TestAnIvr:
    def test_is_set_up_without_a_detour(
        self, open_page: OpenPage, shop: World, receiver: Receiver
    ) -> None:
        page = open_page(shop.owner)
        page.goto(reverse("admin:ivr_ivr_add"))
        page.get_by_role("spinbutton", name="ID").fill("75")
        page.get_by_label("Name").fill("Balance")
        for prompt in ("Your account number?", "What is it about?"):
            page.get_by_role("link", name="Add another Question").click()
            page.get_by_label("Prompt").locator("visible=true").last.fill(prompt)
        page.get_by_role("button", name="Save", exact=True).click()

        # None of its tabs is folded away.
        expect(page.locator("#tabs-items > a")).to_have_count(3)
        expect(page.locator("#tabs-dropdown")).to_have_count(0)
        page.get_by_label("Target URL").fill(receiver.url("/ok"))
        page.get_by_label("My web server").locator("xpath=..").click()
        page.get_by_role("link", name="Add another Parameter").click()
        page.get_by_label("Parameter", exact=True).locator("visible=true").fill("account_no")
        value = page.get_by_label("Value", exact=True).locator("visible=true")
        value.select_option(label="Answer to 1. Your account number?")
        page.get_by_role("button", name="Save", exact=True).click()

        expect(page.get_by_text("was changed successfully")).to_be_visible()
        page.get_by_label("Answer to 1. Your account number?").fill("12345")
        page.get_by_role("button", name="Send test").click()
        expect(page.get_by_text("A caller would have waited")).to_be_visible()
        expect(page.locator("#hl-test").get_by_text("account_no=12345").first).to_be_visible()
        asked = IvrQuestion.objects.values_list("number", "prompt")
        assert list(asked) == [(1, "Your account number?"), (2, "What is it about?")]
