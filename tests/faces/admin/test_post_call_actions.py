"""Post-call actions: what they make behind them, keep and refuse."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from apps.accounts.models import Location
from apps.calls.events import Timing
from apps.campaigns.models import Attachment
from apps.webhooks.models import Webhook
from apps.webhooks.services import save_template
from tests.builders import World, attach, make_webhook
from tests.faces.admin.screens import ACTION, URL, address, errors, made
from tests.factories import LocationFactory

pytestmark = pytest.mark.django_db


class TestPostCallAction:
    def test_makes_a_template_a_webhook_and_an_attachment(
        self, browser: Client, world: World
    ) -> None:
        action = made(browser, location=str(world.location.pk))
        assert (action.url, action.method) == (f"{URL}/post_call.php", "GET")
        version = action.template.current_version
        assert version is not None
        assert version.sample == "client_id=1234&from=%ani%&sid=%sid%"
        attachment = Attachment.objects.get()
        assert (attachment.timing, attachment.location) == (Timing.END, world.location)
        assert action.template.name == "Post-call action: Warehouse"

    def test_is_a_webhook_that_leads_back_to_its_screen(self, browser: Client) -> None:
        action = made(browser)
        page = browser.get(reverse("admin:webhooks_webhook_change", args=[action.pk]))
        assert address("change", action.pk) in page.content.decode()

    def test_is_read_back_and_changed_into_a_new_version(self, browser: Client) -> None:
        action = made(browser)
        page = browser.get(address("change", action.pk)).content.decode()
        assert 'value="client_id=1234"' in page
        named = 'name="parameters-name" value='
        assert page.index(f'{named}"from"') < page.index(f'{named}"sid"')

        answers = {**ACTION, "parameters-name": ["caller", "sid"], "name": "Renamed"}
        assert browser.post(address("change", action.pk), answers).status_code == 302
        action.refresh_from_db()
        version = action.template.current_version
        assert version is not None
        assert (action.name, version.number) == ("Renamed", 2)
        assert Attachment.objects.count() == 1
        browser.post(address("change", action.pk), answers)
        assert action.template.versions.count() == 2

    def test_gets_another_template_with_another_submit_type(self, browser: Client) -> None:
        action = made(browser)
        before = action.template
        browser.post(address("change", action.pk), {**ACTION, "submit_type": "POST"})
        action.refresh_from_db()
        assert action.method == "POST"
        assert (action.template.format, before.format) == ("form", "query")

        analytics = {"option": "analytics", "measurement_id": "G-1", "api_secret": "s &"}
        browser.post(address("change", action.pk), {**ACTION, **analytics})
        action.refresh_from_db()
        assert action.template.format == "json"
        assert action.url.endswith("/mp/collect?measurement_id=G-1&api_secret=s+%26")
        page = browser.get(address("change", action.pk)).content.decode()
        assert 'value="s &amp;"' in page

    def test_changes_no_other_webhook_that_sends_its_template(
        self, browser: Client, world: World
    ) -> None:
        action = made(browser)
        copy = make_webhook(world, URL, template=action.template, method="GET")
        browser.post(address("change", action.pk), {**ACTION, "static_parameters": "client_id=5"})
        action.refresh_from_db()
        copy.refresh_from_db()
        assert copy.template != action.template
        assert copy.template.versions.count() == 1

    def test_keeps_the_query_of_an_address_that_was_given_one_elsewhere(
        self, browser: Client
    ) -> None:
        action = made(browser)
        with_key = f"{URL}/post_call.php?key=abc"
        Webhook.objects.filter(pk=action.pk).update(url=with_key)
        for page, url in (("/post_call.php", with_key), ("/other.php", f"{URL}/other.php")):
            browser.post(address("change", action.pk), {**ACTION, "page": page})
            action.refresh_from_db()
            assert action.url == url

    def test_leaves_alone_what_was_attached_elsewhere(self, browser: Client, world: World) -> None:
        action = made(browser)
        other = attach(Webhook.objects.get(), Timing.END, location=world.location)
        browser.post(address("change", action.pk), {**ACTION, "name": "Renamed"})
        action.refresh_from_db()
        assert action.name == "Renamed"
        assert {each.location for each in action.attachments.all()} == {None, world.location}

        # Bound to a third location, it would no longer send there.
        third = LocationFactory.create(account=world.account)
        answers = {**ACTION, "location": str(third.pk)}
        assert "location" in errors(browser.post(address("change", action.pk), answers))
        other.delete()
        assert browser.post(address("change", action.pk), answers).status_code == 302
        assert action.attachments.get().location == third

    def test_moves_with_its_location(self, browser: Client, world: World) -> None:
        action = made(browser)
        answers = {**ACTION, "location": str(world.location.pk)}
        page = browser.post(address("change", action.pk), answers)
        assert page.status_code == 302, errors(page)
        assert Attachment.objects.get().location == world.location
        browser.post(address("change", action.pk), ACTION)
        assert Attachment.objects.get().location is None

    def test_stays_where_it_is_attached_by_hand(self, browser: Client, world: World) -> None:
        action = made(browser)
        attach(action, campaign=world.campaign)
        there: Location = LocationFactory(account=world.account)
        answers = {**ACTION, "location": str(there.pk)}
        assert "location" in errors(browser.post(address("change", action.pk), answers))

    def test_says_that_its_template_was_changed_elsewhere(self, browser: Client) -> None:
        action = made(browser)
        save_template(template=action.template, sample="x=%tags%", by=None)
        assert "was changed elsewhere" in browser.get(address("change", action.pk)).content.decode()

    @pytest.mark.parametrize(
        ("answers", "field"),
        [
            ({"domain": ""}, "domain"),
            ({"domain": "www.example.com"}, "domain"),
            ({"domain": f"{URL}/folder"}, "domain"),
            ({"domain": "https://10.0.0.1"}, "domain"),
            ({"domain": "http://[::1"}, "domain"),
            ({"page": "/a.php?x=1"}, "page"),
            ({"static_parameters": "oops"}, "static_parameters"),
            ({"static_parameters": "from=1"}, "parameters"),
            ({"parameters-name": ["same", "same"]}, "parameters"),
            ({"parameters-name": ["", "sid"]}, "parameters"),
            ({"parameters-name": ["a\nb", "sid"]}, "parameters"),
            ({"parameters-name": ["x" * 101, "sid"]}, "parameters"),
            ({"parameters-key": ["sid"] * 101, "parameters-name": ["x"] * 101}, "parameters"),
            ({"static_parameters": "", "parameters-key": [], "parameters-name": []}, "parameters"),
            ({"parameters-key": ["lookup_city", "sid"]}, "parameters"),
            ({"option": "analytics"}, "measurement_id"),
            ({"option": "none"}, "option"),
            ({"submit_type": "PUT"}, "submit_type"),
        ],
    )
    def test_refuses_what_can_not_be_sent(
        self, browser: Client, answers: dict[str, Any], field: str, settings: Settings
    ) -> None:
        settings.EGRESS_ALLOW = []
        assert field in errors(browser.post(address("add"), {**ACTION, **answers}))
        assert not Webhook.objects.exists()
