"""From a pasted sample to a payload at the receiver, by hand."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.urls import reverse
from playwright.sync_api import Page, expect

from apps.webhooks.models import Webhook
from tests.browser.conftest import OpenPage
from tests.builders import World, event
from tests.delivery.receiver import Receiver
from tests.delivery.sending import drain

JSON_SAMPLE = '{"first": "John", "last": "Smith", "phone": "5555555555"}'
XML_SAMPLE = """<lead source="phone">
  <name part="first">John</name>
  <name part="last">Smith</name>
  <phone type="voice">5555555555</phone>
</lead>"""
CALLER = {"first_name": 'Ann "A"', "last_name": "O'Neil & <Sons>"}


def fill_row(page: Page, place: str, search: str, label: str) -> None:
    """Choose a token for a field by its label."""
    field = page.get_by_label(f"Value for {place}", exact=True)
    field.fill(search)
    page.get_by_role("option", name=label).first.click()


def call_sales(page: Page, shop: World) -> None:
    """Let a caller reach Sales, as the phone platform posts it, and send what that planned."""
    where = {"tracking_number": shop.menu_number.number, "from": "+17776734736"}
    answer = page.request.post(
        reverse("events"),
        headers=shop.headers,
        data=[
            event(caller=CALLER, **where),
            event(type="call.option_reached", option="1", **where),
        ],
    )
    assert answer.status == 202, answer.text()
    with ThreadPoolExecutor(1) as other_thread:
        other_thread.submit(send_what_is_due).result()


def send_what_is_due() -> None:
    """Drain, and leave no connection of this thread behind."""
    drain()
    connection.close()


@pytest.mark.django_db(transaction=True)
class TestTheExampleOfTheSourceDocument:
    def test_a_json_sample_arrives_filled(
        self, open_page: OpenPage, shop: World, receiver: Receiver
    ) -> None:
        page = open_page(shop.owner)
        page.goto(reverse("admin:accounts_location_webhooks", args=[shop.location.pk]))
        page.get_by_role("link", name="Add Webhook").click()
        page.get_by_label("Create Template").check()
        page.get_by_label("Webhook Name").fill("CRM leads")
        page.get_by_label("URL").fill(receiver.url("/ok/crm"))
        page.get_by_role("button", name="Next").click()
        page.get_by_label("Template Name").fill("CRM lead")
        page.get_by_label("Template Type").select_option("JSON")
        page.get_by_label("Template Format").fill('{"first": ]')
        page.get_by_role("button", name="Next").click()
        expect(page.get_by_text("Line 1, column 11").first).to_be_visible()
        page.get_by_label("Template Format").fill(JSON_SAMPLE)
        page.get_by_role("button", name="Next").click()
        fill_row(page, "$.first", "first name", "Caller: first name")
        fill_row(page, "$.last", "last name", "Caller: last name")
        fill_row(page, "$.phone", "ani", "Caller number")
        expect(page.locator("#hl-preview")).to_contain_text("7776734736")
        page.get_by_role("button", name="Next").click()
        page.get_by_role("button", name="Next").click()
        page.get_by_role("button", name="Send test").click()
        expect(page.locator("#hl-test")).to_contain_text("Works")
        page.get_by_role("button", name="Finish").click()
        expect(page.get_by_text("“CRM leads” is saved")).to_be_visible()
        assert page.url.endswith("/webhooks/")
        assert receiver.at("/ok/crm")[0].headers["webhook-test"] == "true"
        webhook = Webhook.objects.get(name="CRM leads")
        page.goto(reverse("admin:campaigns_treatmentoption_change", args=[shop.sales.pk]))
        page.get_by_role("link", name="Add another Webhook").click()
        page.locator("select[name='attachments-0-webhook']").select_option(str(webhook.pk))
        page.locator("select[name='attachments-0-timing']").select_option("begin")
        page.get_by_role("button", name="Save", exact=True).click()
        page.wait_for_url("**/treatmentoption/")
        call_sales(page, shop)
        test, delivery = receiver.at("/ok/crm")
        assert "webhook-test" not in delivery.headers
        assert json.loads(delivery.body) == {
            "first": 'Ann "A"',
            "last": "O'Neil & <Sons>",
            "phone": "7776734736",
        }
        assert json.loads(test.body)["first"] == "Freddy"
