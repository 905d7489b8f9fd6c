"""The page of a post-call action: what it shows to whom, and does while it is filled in."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from apps.common.access import Role
from apps.delivery.models import Delivery
from apps.faces.models import PostCallAction
from tests.builders import World, make_webhook, make_world
from tests.conftest import LogIn
from tests.delivery.conftest import receiver as receiver
from tests.delivery.receiver import Receiver
from tests.faces.admin.screens import ACTION, URL, address, made
from tests.factories import MembershipFactory

pytestmark = pytest.mark.django_db


class TestThePage:
    def test_leads_admins_to_its_secret(self, browser: Client, world: World, log_in: LogIn) -> None:
        action = made(browser)
        secret = reverse("admin:webhooks_webhook_secret", args=[action.pk])
        member = log_in(account=world.account, role=Role.MEMBER)
        for person, sees in ((browser, True), (member, False)):
            page = person.get(address("change", action.pk)).content.decode()
            assert (secret in page) is sees

    def test_tells_those_who_only_look_what_is_sent(
        self, browser: Client, world: World, log_in: LogIn
    ) -> None:
        static = "client_id=1234&api_key=hush"
        action = made(browser, static_parameters=static, **{"parameters-name": ["caller", "sid"]})
        viewer = log_in(account=world.account, role=Role.VIEWER)
        page = viewer.get(address("change", action.pk)).content.decode()
        for told in (URL, "/post_call.php", "client_id=1234", "caller = Caller ID, sid = SID"):
            assert told in page
        assert "hush" not in page
        assert "Dynamic Parameters" in page
        assert "every location" in page
        assert "Measurement ID" not in page
        # What they may not ask for is not asked.
        assert address("example", action.pk) not in page

    def test_shows_the_api_secret_to_nobody_who_only_looks(
        self, browser: Client, world: World, log_in: LogIn
    ) -> None:
        action = made(browser, option="analytics", measurement_id="G-1", api_secret="hush")
        viewer = log_in(account=world.account, role=Role.VIEWER)
        page = viewer.get(address("change", action.pk)).content.decode()
        assert "G-1" in page
        assert "hush" not in page
        assert "Static Parameters" not in page

    def test_offers_lookups_of_the_account_that_is_chosen(
        self, world: World, log_in: LogIn
    ) -> None:
        person = MembershipFactory(account=world.account, role=Role.ADMIN).user
        other = make_world("Other").account
        MembershipFactory(account=other, user=person, role=Role.ADMIN)
        world.account.has_reverse_lookup = True
        world.account.save(update_fields=["has_reverse_lookup"])
        browser = log_in(user=person)
        for account, is_offered in ((world.account, True), (other, False)):
            page = browser.get(address("add"), {"account": str(account.pk)}).content.decode()
            assert ("Lookup - City" in page) is is_offered
        answers = {**ACTION, "account": str(other.pk)}
        assert browser.post(address("add"), answers).status_code == 302
        assert PostCallAction.objects.get().account == other

    def test_offers_lookups_only_where_the_account_has_them(
        self, browser: Client, world: World
    ) -> None:
        assert "Lookup - City" not in browser.get(address("add")).content.decode()
        world.account.has_reverse_lookup = True
        world.account.save(update_fields=["has_reverse_lookup"])
        assert "Lookup - City" in browser.get(address("add")).content.decode()
        made(browser, **{"parameters-key": ["lookup_city", "sid"]})

    def test_shows_webhooks_of_its_own_only(self, browser: Client, world: World) -> None:
        other = make_webhook(world, URL)
        assert str(other.pk) not in browser.get(address("changelist")).content.decode()
        assert browser.get(address("change", other.pk)).status_code == 302
        assert browser.post(address("test", other.pk), ACTION).status_code == 404

    @pytest.mark.parametrize(
        "act", ["add", "up-1", "down-0", "remove-0", "up-99", "up-x", "no", ""]
    )
    def test_rearranges_rows(self, browser: Client, act: str) -> None:
        answers = {**ACTION, "act": act, "parameters-add": "click_id"}
        page = browser.post(address("parameters", "add"), answers)
        expected = {
            "add": ["caller_id", "sid", "click_id"],
            "up-1": ["sid", "caller_id"],
            "down-0": ["sid", "caller_id"],
            "remove-0": ["sid"],
        }.get(act, ["caller_id", "sid"])
        text = page.content.decode()
        keys = [f'name="parameters-key" value="{key}"' for key in expected]
        assert [text.index(key) for key in keys] == sorted(text.index(key) for key in keys)
        assert text.count("parameters-key") == len(expected)
        assert page["HX-Trigger-After-Swap"] == "parameters-changed"

    @pytest.mark.parametrize("act", ["up-" + "1" * 5_000, "up-99", "down--1", "remove-٣", "up-"])
    def test_keeps_its_rows_whatever_a_button_says(self, browser: Client, act: str) -> None:
        page = browser.post(address("parameters", "add"), {**ACTION, "act": act})
        assert page.content.decode().count('name="parameters-key"') == len(ACTION["parameters-key"])

    def test_shows_the_example_as_it_is_typed(self, browser: Client) -> None:
        page = browser.post(address("example", "add"), ACTION).content.decode()
        assert f"GET {URL}/post_call.php?client_id=1234&amp;from=7776734736&amp;sid=5da1" in page
        page = browser.post(address("example", "add"), {**ACTION, "submit_type": "POST"})
        assert "client_id=1234&amp;from=7776734736" in page.content.decode()
        for answers in ({}, {"domain": ""}, {"static_parameters": "from=1"}, {"option": "?"}):
            page = browser.post(address("example", "add"), {**ACTION, **answers} if answers else {})
            assert page.status_code == 200

    def test_tries_what_is_typed(
        self, browser: Client, receiver: Receiver, settings: Settings
    ) -> None:
        answers = {**ACTION, "domain": receiver.url(""), "page": "ok"}
        page = browser.post(address("test", "add"), answers).content.decode()
        assert "Works" in page
        (request,) = receiver.requests
        assert request.headers["webhook-test"] == "true"
        assert request.line.startswith("GET /ok?client_id=1234&from=7776734736")
        assert not Delivery.objects.exists()

        settings.EGRESS_ALLOW = []
        page = browser.post(address("test", "add"), answers).content.decode()
        assert "Domain: " in page
        for wrong in ({"domain": ""}, {"domain": "http://[::1"}, {"static_parameters": "from=1"}):
            assert browser.post(address("test", "add"), {**answers, **wrong}).status_code == 200
        assert len(receiver.requests) == 1

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("page", ["parameters", "example", "test"])
    def test_lets_no_other_in(
        self, world: World, log_in: LogIn, browser: Client, page: str
    ) -> None:
        action = made(browser)
        viewer = log_in(account=world.account, role=Role.VIEWER)
        assert viewer.post(address(page, "add"), ACTION).status_code == 403
        assert viewer.post(address(page, action.pk), ACTION).status_code == 403
        stranger = log_in(account=make_world("Other").account, role=Role.OWNER)
        assert stranger.post(address(page, action.pk), ACTION).status_code == 404
        assert stranger.post(address(page, "nonsense"), ACTION).status_code == 404
        assert browser.get(address(page, action.pk)).status_code == 404
