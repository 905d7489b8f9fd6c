"""From a pasted sample to a payload at the receiver, by hand."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.urls import reverse
from lxml import etree
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.builders import World, event
from tests.delivery.receiver import Receiver
from tests.delivery.sending import drain
from tests.factories import GroupFactory, LocationFactory, TemplateFactory

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


def go_on(page: Page, step: str) -> None:
    """Press Next, and wait for the step behind."""
    page.get_by_role("button", name="Next").click()
    page.wait_for_url(f"**/{step}/")


def pick_on_sales(page: Page, shop: World, webhook: str) -> None:
    """Choose a webhook in the drop-down of the option Sales, for the begin of calls."""
    page.goto(reverse("admin:campaigns_treatmentoption_change", args=[shop.sales.pk]))
    page.get_by_role("link", name="Add another Webhook").click()
    page.locator("select[name='attachments-0-webhook']").select_option(label=webhook)
    page.locator("select[name='attachments-0-timing']").select_option("begin")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/treatment/*/change/")


def arrived_as_xml(body: bytes) -> None:
    """Check that the XML sample arrived with the values of the caller, and its constants."""
    lead = etree.fromstring(body)
    assert [(name.get("part"), name.text) for name in lead.iter("name")] == [
        ("first", CALLER["first_name"]),
        ("last", CALLER["last_name"]),
    ]
    assert lead.findtext("phone") == "7776734736"
    assert lead.find("phone").get("type") == "voice"
    assert lead.get("source") == ""


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
        go_on(page, "template")
        page.get_by_label("Template Name").fill("CRM lead")
        page.get_by_label("Template Type").select_option("JSON")
        page.get_by_label("Template Format").fill('{"first": ]')
        page.get_by_role("button", name="Next").click()
        expect(page.get_by_text("Line 1, column 11").first).to_be_visible()
        page.get_by_label("Template Format").fill(JSON_SAMPLE)
        go_on(page, "fields")
        fill_row(page, "$.first", "first name", "Caller: first name")
        fill_row(page, "$.last", "last name", "Caller: last name")
        fill_row(page, "$.phone", "ani", "Caller number")
        expect(page.locator("#hl-preview")).to_contain_text("7776734736")
        go_on(page, "advanced")
        go_on(page, "summary")
        page.get_by_role("button", name="Send test").click()
        expect(page.locator("#hl-test")).to_contain_text("Works")
        page.get_by_role("button", name="Finish").dblclick()
        expect(page.get_by_text("“CRM leads” is saved")).to_be_visible()
        assert page.url.endswith("/webhooks/")
        assert receiver.at("/ok/crm")[0].headers["webhook-test"] == "true"
        pick_on_sales(page, shop, "CRM leads")
        call_sales(page, shop)
        test, delivery = receiver.at("/ok/crm")
        assert "webhook-test" not in delivery.headers
        assert json.loads(delivery.body) == {
            "first": 'Ann "A"',
            "last": "O'Neil & <Sons>",
            "phone": "7776734736",
        }
        assert json.loads(test.body)["first"] == "Freddy"

    def test_an_xml_sample_with_attributes_arrives_filled(
        self, open_page: OpenPage, shop: World, receiver: Receiver
    ) -> None:
        page = open_page(shop.owner)
        page.goto(reverse("admin:webhooks_webhook_changelist"))
        page.get_by_role("link", name="Add Webhook").first.click()
        page.get_by_label("Create Template").check()
        page.get_by_label("Webhook Name").fill("XML leads")
        page.get_by_label("URL").fill(receiver.url("/ok/xml"))
        go_on(page, "template")
        page.get_by_label("Template Type").select_option("XML")
        page.get_by_label("Template Format").fill(XML_SAMPLE)
        go_on(page, "fields")
        fill_row(page, "/lead/name[@part='first']", "first name", "Caller: first name")
        fill_row(page, "/lead/name[@part='last']", "last name", "Caller: last name")
        fill_row(page, "/lead/@source", "campaign name", "Campaign name")
        fill_row(page, "/lead/phone", "ani", "Caller number")
        go_on(page, "advanced")
        go_on(page, "summary")
        page.get_by_role("button", name="Finish").click()
        expect(page.get_by_text("“XML leads” is saved")).to_be_visible()
        pick_on_sales(page, shop, "XML leads")
        call_sales(page, shop)
        (delivery,) = receiver.at("/ok/xml")
        arrived_as_xml(delivery.body)


@pytest.mark.django_db(transaction=True)
class TestTheWebhookStep:
    def test_offers_the_templates_of_the_location_that_is_chosen(
        self, open_page: OpenPage, shop: World
    ) -> None:
        group = GroupFactory(account=shop.account)
        LocationFactory(account=shop.account, group=group, name="Elm Street West")
        TemplateFactory(account=shop.account, group=group, name="Of the group")
        page = open_page(shop.owner)
        page.goto(f"{reverse('wizard')}?location={shop.location.pk}")
        page.get_by_label("Webhook Name").fill("Leads")
        page.get_by_label("URL").fill("https://93.184.216.34/")
        choose(page, "location", "west")
        expect(page.locator("#id_template")).to_contain_text("Of the group")
        choose(page, "template", "of the gr")
        go_on(page, "advanced")
        page.get_by_role("button", name="Webhook").click()
        expect(page.get_by_label("Webhook Name")).to_have_value("Leads")
        expect(page.locator("#select2-id_location-container")).to_have_text("Elm Street West")


def choose(page: Page, field: str, typed: str) -> None:
    """Search in a drop-down of the wizard, and take what is found."""
    page.locator(f"#select2-id_{field}-container").click()
    page.locator(".select2-search__field").fill(typed)
    expect(page.locator(".select2-results__option--highlighted")).to_contain_text(
        typed, ignore_case=True
    )
    page.keyboard.press("Enter")
    expect(page.locator(f"#select2-id_{field}-container")).to_contain_text(typed, ignore_case=True)
