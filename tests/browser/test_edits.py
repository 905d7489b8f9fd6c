"""A finished template is edited by hand, and gone back to with one click."""

import json

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from apps.calls.events import Timing
from apps.webhooks.models import Template
from tests.browser.conftest import OpenPage
from tests.browser.test_wizard import CALLER, call_sales, fill_row, go_on
from tests.builders import World, attach, make_template, make_webhook
from tests.delivery.receiver import Receiver
from tests.factories import CallFactory

SAMPLE = '{"first": "%ani_first_name%", "note": "x"}'


@pytest.mark.django_db(transaction=True)
class TestAFinishedTemplate:
    def test_is_edited_and_gone_back_to(
        self, open_page: OpenPage, shop: World, receiver: Receiver
    ) -> None:
        template = make_template(shop.account, "CRM lead", SAMPLE)
        webhook = make_webhook(shop, receiver.url("/ok/crm"), template=template)
        attach(webhook, Timing.BEGIN, option=shop.sales)
        page = open_page(shop.owner)
        page.goto(reverse("admin:webhooks_template_change", args=[template.pk]))
        page.get_by_role("button", name="Edit fields").click()
        expect(page.get_by_text("1 webhook of 1 account sends this template.")).to_be_visible()
        page.get_by_label("Value for $.note").fill("tags.Region")
        page.keyboard.press("Tab")
        expect(page.get_by_label("What fills $.note")).to_have_value("token")
        fill_row(page, "$.note", "caller number", "Caller number")
        expect(page.locator("#hl-preview")).to_contain_text("7776734736")
        go_on(page, "summary")
        expect(page.get_by_text("$.note ← %ani%")).to_be_visible()
        page.get_by_role("button", name="Save the new version").click()
        expect(page.get_by_text("Version 2 of “CRM lead” is saved.")).to_be_visible()
        call_sales(page, shop)
        assert json.loads(receiver.at("/ok/crm")[0].body) == {
            "first": CALLER["first_name"],
            "note": "7776734736",
        }
        page.get_by_role("button", name="Go back to it").click()
        expect(page.get_by_text("Version 3 is as version 1 was.")).to_be_visible()
        again = Template.objects.get(pk=template.pk).current_version
        assert again is not None
        assert [field["path"] for field in again.mapping] == ["$.first"]


@pytest.mark.django_db(transaction=True)
class TestTheCallOfThePreview:
    def test_is_found_by_its_number(self, open_page: OpenPage, shop: World) -> None:
        template = make_template(shop.account, "CRM lead", SAMPLE)
        snapshot = {"caller": {"first_name": "Ann of long ago"}}
        CallFactory(account=shop.account, caller="+15550001111", snapshot=snapshot)
        CallFactory.create_batch(12, account=shop.account, caller="+15559998888")
        page = open_page(shop.owner)
        page.goto(reverse("admin:webhooks_template_change", args=[template.pk]))
        page.get_by_role("button", name="Edit fields").click()
        page.get_by_label("Find a call").fill("555 000 11")
        page.keyboard.press("Enter")
        expect(page.locator("#hl-preview")).to_contain_text("Ann of long ago")
        assert page.url.endswith("/fields/")
        page.get_by_label("Call to show it for").select_option("example")
        expect(page.locator("#hl-preview")).to_contain_text("Freddy")
