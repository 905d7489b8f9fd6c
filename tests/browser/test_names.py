"""What people hear who do not see a page, and how they get past the side bar."""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.builders import World, attach, make_webhook
from tests.factories import IvrHookFactory, IvrParameterFactory

CONTROLS = {
    *("button", "link", "textbox", "searchbox", "combobox", "listbox", "checkbox", "radio"),
    *("spinbutton", "switch", "DisclosureTriangle"),
}


def told(node: dict[str, Any], what: str) -> str:
    return str(node.get(what, {}).get("value", "")).strip()


def unnamed(page: Page) -> list[str]:
    """Return the roles of what can be used and has no name, as the browser tells them."""
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    assert any(told(node, "role") == "link" for node in tree)
    return [
        told(node, "role")
        for node in tree
        if not node["ignored"] and told(node, "role") in CONTROLS and not told(node, "name")
    ]


@pytest.fixture
def addresses(shop: World) -> list[str]:
    """The pages that people work on most."""
    webhook = make_webhook(shop, "https://93.184.216.34/")
    attachment = attach(webhook, campaign=shop.campaign)
    hook = IvrHookFactory(ivr__account=shop.account)
    IvrParameterFactory(hook=hook)
    return [
        *(reverse(name) for name in ("admin:index", "figures", "wizard", "tokens")),
        *(
            reverse(f"admin:{name}_changelist")
            for name in ("webhooks_webhook", "delivery_delivery", "campaigns_attachment")
        ),
        reverse("admin:webhooks_webhook_change", args=[webhook.pk]),
        reverse("admin:campaigns_attachment_change", args=[attachment.pk]),
        reverse("admin:campaigns_campaign_change", args=[shop.campaign.pk]),
        reverse("admin:accounts_location_change", args=[shop.location.pk]),
        reverse("admin:ivr_ivr_change", args=[hook.ivr_id]),
        reverse("admin:ivr_ivr_webhook", args=[hook.ivr_id]),
    ]


def test_whatever_can_be_used_has_a_name(
    open_page: OpenPage, shop: World, addresses: list[str]
) -> None:
    page = open_page(shop.owner)
    nameless = {}
    for address in addresses:
        page.goto(address)
        page.wait_for_load_state("networkidle")
        nameless[address] = unnamed(page)
    assert nameless == {address: [] for address in addresses}


def test_a_searchable_select_is_called_by_its_label(open_page: OpenPage, shop: World) -> None:
    page = open_page(shop.owner)
    page.goto(reverse("admin:campaigns_attachment_add"))
    for label in ("Campaign", "Treatment", "Location"):
        expect(page.get_by_role("combobox", name=f"{label} Select value")).to_be_visible()
    page.get_by_role("combobox", name="Campaign Select value").press("Enter")
    expect(page.get_by_role("searchbox", name="Search Campaign")).to_be_focused()


def test_the_side_bar_can_be_skipped(open_page: OpenPage, shop: World) -> None:
    page = open_page(shop.owner)
    page.goto(reverse("figures"))
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the page")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("main").get_by_role("link").first).to_be_focused()


def test_a_page_is_called_what_it_shows(open_page: OpenPage, shop: World) -> None:
    page = open_page(shop.owner)
    page.goto(reverse("admin:delivery_delivery_changelist"))
    expect(page).to_have_title("Deliveries | Hookline")
    page.goto(reverse("admin:campaigns_campaign_change", args=[shop.campaign.pk]))
    expect(page.get_by_role("heading", level=1)).to_have_accessible_name(
        f"Campaigns {shop.campaign}"
    )
