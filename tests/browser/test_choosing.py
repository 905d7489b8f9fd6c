"""A row is found among many by typing, in a form and in a filter."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from apps.accounts.models import Location
from tests.browser.conftest import OpenPage
from tests.builders import World, make_webhook

MANY = 120


@pytest.fixture
def places(shop: World) -> list[Location]:
    """More locations than a select has at once."""
    return Location.objects.bulk_create(
        Location(account=shop.account, name=f"Place {number:04}") for number in range(MANY)
    )


def test_a_row_is_typed_chosen_and_saved(
    open_page: OpenPage, shop: World, places: list[Location]
) -> None:
    webhook = make_webhook(shop, "https://93.184.216.34/", location=shop.location)
    page = open_page(shop.owner)
    page.goto(reverse("admin:webhooks_webhook_change", args=[webhook.pk]))
    select = page.get_by_role("combobox", name="Location")
    expect(select).to_contain_text(shop.location.name)
    select.click()
    expect(page.get_by_role("option", name="Place 0000")).to_be_visible()
    page.get_by_role("searchbox").fill("0117")
    page.get_by_role("option", name="Place 0117").click()
    expect(select).to_contain_text("Place 0117")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(f"**{reverse('admin:webhooks_webhook_changelist')}")
    webhook.refresh_from_db()
    assert webhook.location == places[117]


def test_a_row_can_be_given_up(open_page: OpenPage, shop: World, places: list[Location]) -> None:
    webhook = make_webhook(shop, "https://93.184.216.34/", location=places[3])
    page = open_page(shop.owner)
    page.goto(reverse("admin:webhooks_webhook_change", args=[webhook.pk]))
    select = page.get_by_role("combobox", name="Location")
    select.click()
    page.locator(".select2-results__option").first.click()
    expect(select).not_to_contain_text("Place")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(f"**{reverse('admin:webhooks_webhook_changelist')}")
    webhook.refresh_from_db()
    assert webhook.location is None


def test_the_wizard_offers_the_templates_of_what_was_found(
    open_page: OpenPage, shop: World, places: list[Location]
) -> None:
    page = open_page(shop.owner)
    page.goto(reverse("wizard"))
    page.get_by_role("combobox", name="Location").click()
    page.get_by_role("searchbox").fill("0117")
    with page.expect_response(lambda answer: f"location={places[117].pk}" in answer.url):
        page.get_by_role("option", name="Place 0117").click()
    expect(page.get_by_role("combobox", name="Location")).to_contain_text("Place 0117")
    # The other templates have come, and can be searched again.
    expect(page.locator("#id_template option", has_text=shop.json.name)).to_be_attached()
    expect(page.locator("#id_template + .select2")).to_be_visible()
    page.get_by_role("combobox", name="Template").click()
    expect(page.get_by_role("option", name=shop.json.name)).to_be_visible()


def test_a_list_is_filtered_by_what_was_found(
    open_page: OpenPage, shop: World, places: list[Location]
) -> None:
    make_webhook(shop, "https://93.184.216.34/", location=places[117], name="There")
    make_webhook(shop, "https://93.184.216.34/", location=shop.location, name="Here")
    page = open_page(shop.owner)
    page.goto(reverse("admin:webhooks_webhook_changelist"))
    page.get_by_text("Filters").first.click()
    page.get_by_role("combobox", name="location").click()
    page.get_by_role("searchbox").fill("0117")
    page.get_by_role("option", name="Place 0117").click()
    page.get_by_role("button", name="Apply Filters").click()
    expect(page.get_by_role("link", name="There")).to_be_visible()
    expect(page.get_by_role("link", name="Here", exact=True)).to_have_count(0)
