"""Pages keep to the width of the screen, and to our content security policy."""

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from apps.accounts.models import AccountKind
from apps.intake.models import Callback
from tests.browser.conftest import OpenPage
from tests.builders import World, make_world
from tests.factories import (
    AttachmentFactory,
    CallbackFactory,
    OperatorFactory,
    SourceFactory,
    TemplateFactory,
    WebhookFactory,
)

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}

LONG = "A name as long as those that agencies give to places of theirs"


def long_attachment(shop: World) -> str:
    """Return the page of an attachment whose option has a name wider than a phone."""
    shop.location.name = LONG
    shop.location.save(update_fields=["name"])
    webhook = WebhookFactory(account=shop.account)
    row = AttachmentFactory(account=shop.account, webhook=webhook, location=None, option=shop.sales)
    return reverse("admin:campaigns_attachment_change", args=[row.pk])


def versions(shop: World) -> str:
    """Return the page of a template's versions."""
    return reverse("admin:webhooks_template_versions", args=[shop.json.pk])


def template_of_long_name(shop: World) -> str:
    """Return the page of a template, with all its buttons."""
    template = TemplateFactory(account=shop.account, name=LONG)
    return reverse("admin:webhooks_template_change", args=[template.pk])


def location(shop: World) -> str:
    """Return the page with the most tabs."""
    return reverse("admin:accounts_location_change", args=[shop.location.pk])


def callback_without_blanks(shop: World) -> str:
    """Return the page of the callbacks of a platform that wrote 80 digits for a time."""
    refused = f"“{'9' * 80}” is no time"
    callback = CallbackFactory(
        source=SourceFactory(account=shop.account),
        about="9" * 80,
        call_external_id="9" * 80,
        outcome=Callback.Outcome.REJECTED,
        detail=refused,
    )
    return reverse("admin:intake_source_callbacks", args=[callback.source.pk])


@pytest.mark.parametrize(
    "address",
    [long_attachment, versions, template_of_long_name, location, callback_without_blanks],
)
def test_is_as_wide_as_a_phone(
    address: Callable[[World], str], open_page: OpenPage, shop: World
) -> None:
    page = open_page(shop.owner)
    page.set_viewport_size(PHONE)
    page.goto(address(shop))
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_the_name_of_a_switch_is_one_line(open_page: OpenPage) -> None:
    agency = make_world("Agency", kind=AccountKind.AGENCY)
    page = open_page(agency.owner)
    page.set_viewport_size(PHONE)
    page.goto(reverse("admin:webhooks_template_change", args=[agency.json.pk]))
    lines = page.get_by_text("Shared with client accounts").evaluate(
        "label => label.offsetHeight / parseFloat(getComputedStyle(label).lineHeight)"
    )
    assert round(lines) == 1


def test_a_label_of_a_list_is_whole(open_page: OpenPage, shop: World) -> None:
    SourceFactory(account=shop.account, kind="generic", location=shop.location)
    agency = make_world("Agency", kind=AccountKind.AGENCY)
    shop.account.parent = agency.account
    shop.account.save(update_fields=["parent"])
    page = open_page(agency.owner)
    page.set_viewport_size(PHONE)
    page.goto(reverse("admin:intake_source_changelist"))
    cell = page.locator("td.field-kind_label")
    label = cell.get_by_text("Any other platform")
    expect(label).to_be_visible()
    ends = [each.evaluate("box => box.getBoundingClientRect().right") for each in (label, cell)]
    assert ends[0] <= ends[1]


def test_a_name_in_a_list_keeps_its_letters(open_page: OpenPage, shop: World) -> None:
    shop.location.name = "eShop"
    shop.location.save(update_fields=["name"])
    page = open_page(shop.owner)
    page.set_viewport_size(PHONE)
    page.goto(reverse("admin:accounts_location_changelist"))
    assert page.get_by_role("link", name="eShop", exact=True).inner_text() == "eShop"


def test_a_chosen_file_is_named(open_page: OpenPage, shop: World) -> None:
    page = open_page(shop.owner)
    page.goto(reverse("admin:campaigns_import_new", args=["locations"]))
    file = page.locator("input[type=file]")
    file.set_input_files({"name": "places.csv", "mimeType": "text/csv", "buffer": b"name\n"})
    assert file.input_value().endswith("places.csv")


class TestTabs:
    def tabs_are_all_there(self, page: Page) -> None:
        names = ["Edit", "Webhook Management", "Campaigns", "Call treatments", "Tracking numbers"]
        expect(page.locator("#tabs-items > a:visible")).to_have_text(names)

    def test_are_all_there_whatever_the_width_was_before(
        self, open_page: OpenPage, shop: World
    ) -> None:
        page = open_page(shop.owner)
        page.goto(location(shop))
        for size in (DESK, PHONE, DESK):
            page.set_viewport_size(size)
            self.tabs_are_all_there(page)


class TestTheQueuesOfOperators:
    @pytest.mark.parametrize("page_name", ["home", "jobs", "workers", "clear"])
    def test_try_nothing_that_the_policy_refuses(
        self, open_page: OpenPage, shop: World, page_name: str
    ) -> None:
        page = open_page(OperatorFactory())
        queue = [] if page_name == "home" else [0]
        page.goto(reverse(f"django_rq:{page_name}", args=queue))
        expect(page.get_by_role("heading", level=1).first).to_be_visible()
        page.set_viewport_size(PHONE)
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_a_time_that_is_not_the_browsers_looks_like_no_fault(
    open_page: OpenPage, shop: World
) -> None:
    page = open_page(shop.owner)
    page.goto(reverse("admin:accounts_apikey_add"))
    expect(page.get_by_text("In the time zone America/New York.")).to_be_visible()
    warnings = page.locator(".timezonewarning")
    expect(warnings).to_have_count(2)
    expect(warnings.first).to_be_hidden()
