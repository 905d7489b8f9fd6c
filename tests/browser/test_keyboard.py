"""From a pasted sample to a payload at the receiver, without a mouse."""

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from apps.webhooks.models import Webhook
from tests.browser.conftest import OpenPage
from tests.browser.test_wizard import XML_SAMPLE, arrived_as_xml, call_sales
from tests.builders import World
from tests.delivery.receiver import Receiver


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until something has the focus; the way may lead around the page."""
    expect(wanted).to_be_visible()
    for _ in range(150):
        if wanted.evaluate("wanted => wanted === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never reaches {wanted}")


def press(page: Page, wanted: Locator) -> None:
    """Go to a button or a link, and press Enter there."""
    tab_to(page, wanted)
    page.keyboard.press("Enter")


def go_on(page: Page, step: str) -> None:
    """Press Next, and wait for the step behind."""
    press(page, page.locator("form").get_by_role("button", name="Next", exact=True))
    page.wait_for_url(f"**/{step}/")


def fill_row(page: Page, place: str, typed: str, token: str) -> None:
    """Type into the field of a row, and take the first token that is found."""
    field = page.get_by_label(f"Value for {place}", exact=True)
    tab_to(page, field)
    page.keyboard.type(typed)
    first = page.get_by_role("listbox", name="Tokens").get_by_role("option").first
    expect(first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(field).to_have_value(token)


def begin(page: Page, name: str, url: str) -> None:
    """Answer the first step, which the page begins with: a new template."""
    keys = page.keyboard
    expect(page.get_by_label("Webhook Name")).to_be_focused()
    keys.type(name)
    keys.press("Shift+Tab")
    keys.press("ArrowRight")
    expect(page.get_by_label("Create Template")).to_be_checked()
    keys.press("Tab")
    keys.press("Tab")
    keys.type(url)
    keys.press("Enter")
    expect(page.get_by_label("Template Name")).to_be_focused()


@pytest.mark.django_db(transaction=True)
class TestTheKeyboardIsEnough:
    def test_for_a_json_sample(self, open_page: OpenPage, shop: World, receiver: Receiver) -> None:
        page = open_page(shop.owner)
        page.goto(reverse("wizard"))
        begin(page, "By keyboard", receiver.url("/ok/keys"))
        for _ in range(3):
            page.keyboard.press("Tab")
        expect(page.get_by_label("Template Format")).to_be_focused()
        page.keyboard.type('{"who": "", "tel": ""}')
        go_on(page, "fields")
        fill_row(page, "$.who", "full name", "ani_full_name")
        go_on(page, "advanced")
        go_on(page, "summary")
        press(page, page.get_by_role("button", name="Finish"))
        expect(page.get_by_text("“By keyboard” is saved")).to_be_visible()
        version = Webhook.objects.get(name="By keyboard").template.current_version
        assert version is not None
        assert [field["token"] for field in version.mapping] == ["ani_full_name", "ani"]

    def test_for_an_xml_sample_with_attributes(
        self, open_page: OpenPage, shop: World, receiver: Receiver
    ) -> None:
        page = open_page(shop.owner)
        keys = page.keyboard
        page.goto(reverse("admin:accounts_location_webhooks", args=[shop.location.pk]))
        press(page, page.get_by_role("link", name="Add Webhook"))
        begin(page, "XML leads", receiver.url("/ok/xml"))
        tab_to(page, page.get_by_label("Template Type"))
        keys.type("XML")
        tab_to(page, page.get_by_label("Template Format"))
        keys.type(XML_SAMPLE)
        go_on(page, "fields")
        fill_row(page, "/lead/@source", "campaign name", "campaign_name")
        fill_row(page, "/lead/name[@part='first']", "first name", "ani_first_name")
        fill_row(page, "/lead/name[@part='last']", "last name", "ani_last_name")
        fill_row(page, "/lead/phone", "caller number", "ani")
        go_on(page, "advanced")
        go_on(page, "summary")
        press(page, page.get_by_role("button", name="Send test"))
        expect(page.locator("#hl-test")).to_contain_text("Works")
        press(page, page.get_by_role("button", name="Finish"))
        expect(page.get_by_text("“XML leads” is saved")).to_be_visible()
        self.pick_on_sales(page, shop, "XML leads")
        call_sales(page, shop)
        _test, delivery = receiver.at("/ok/xml")
        arrived_as_xml(delivery.body)

    def pick_on_sales(self, page: Page, shop: World, webhook: str) -> None:
        keys = page.keyboard
        page.goto(reverse("admin:campaigns_treatmentoption_change", args=[shop.sales.pk]))
        press(page, page.get_by_role("link", name="Add another Webhook"))
        select = page.locator("select[name=attachments-0-webhook]")
        tab_to(page, select.locator("+ .select2 .select2-selection"))
        keys.press("Enter")
        expect(page.locator(".select2-search__field")).to_be_focused()
        keys.type(webhook)
        expect(page.locator(".select2-results__option--highlighted")).to_have_text(webhook)
        keys.press("Enter")
        expect(select.locator("option:checked")).to_have_text(webhook)
        tab_to(page, page.locator("select[name=attachments-0-timing]"))
        keys.type("Begin")
        tab_to(page, page.get_by_role("button", name="Save", exact=True))
        keys.press("Enter")
        page.wait_for_url("**/treatment/*/change/")
