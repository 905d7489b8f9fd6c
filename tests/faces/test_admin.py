"""The screens: what they refuse, what they keep, and what they make behind them."""

from typing import Any, ClassVar

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from apps.accounts.models import Location
from apps.calls.events import Timing
from apps.campaigns.models import Attachment
from apps.common.access import Role
from apps.delivery.models import Delivery
from apps.faces.models import CallComplete, CallNotification, PostCallAction
from apps.webhooks.models import Template, Webhook
from apps.webhooks.services import save_template
from tests.builders import World, attach, make_webhook, make_world
from tests.conftest import LogIn
from tests.delivery.conftest import receiver as receiver
from tests.delivery.receiver import Receiver
from tests.factories import LocationFactory, MembershipFactory

pytestmark = pytest.mark.django_db

URL = "https://93.184.216.34"
ACTION: dict[str, Any] = {
    "name": "Warehouse",
    "is_active": "on",
    "option": "call_details",
    "submit_type": "GET",
    "domain": URL,
    "page": "/post_call.php",
    "static_parameters": "client_id=1234",
    "parameters-key": ["caller_id", "sid"],
    "parameters-name": ["from", "sid"],
}


@pytest.fixture
def browser(world: World, log_in: LogIn) -> Client:
    return log_in(account=world.account, role=Role.ADMIN)


def address(page: str, *args: Any, screen: str = "postcallaction") -> str:
    return reverse(f"admin:faces_{screen}_{page}", args=args)


def errors(page: Any) -> dict[str, Any]:
    assert page.status_code == 200
    found: dict[str, Any] = page.context["adminform"].form.errors
    return found


def made(browser: Client, **answers: Any) -> PostCallAction:
    assert browser.post(address("add"), {**ACTION, **answers}).status_code == 302
    action: PostCallAction = PostCallAction.objects.get()
    return action


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
        action = made(browser, **{"parameters-name": ["caller", "sid"]})
        viewer = log_in(account=world.account, role=Role.VIEWER)
        page = viewer.get(address("change", action.pk)).content.decode()
        for told in (URL, "/post_call.php", "client_id=1234", "caller = Caller ID, sid = SID"):
            assert told in page
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


class TestCallComplete:
    def test_keeps_a_template_that_was_adapted(self, browser: Client) -> None:
        answers = {"name": "Old", "url": f"{URL}/a", "is_active": "on", "submit_type": "POST"}
        assert browser.post(address("add", screen="callcomplete"), answers).status_code == 302
        webhook: CallComplete = CallComplete.objects.get()
        save_template(template=webhook.template, sample="Action=Webhook", by=None)
        change = address("change", webhook.pk, screen="callcomplete")
        browser.post(change, {**answers, "url": f"{URL}/b"})
        webhook.refresh_from_db()
        version = webhook.template.current_version
        assert version is not None
        assert (webhook.url, version.sample) == (f"{URL}/b", "Action=Webhook")

        browser.post(change, {**answers, "submit_type": "GET"})
        webhook.refresh_from_db()
        assert (webhook.method, webhook.template.format) == ("GET", "query")

    def test_refuses_an_address_that_may_not_be_reached(
        self, browser: Client, settings: Settings
    ) -> None:
        settings.EGRESS_ALLOW = []
        answers = {"name": "Old", "url": "http://127.0.0.1/", "submit_type": "POST"}
        assert "url" in errors(browser.post(address("add", screen="callcomplete"), answers))


class TestCallNotifications:
    ANSWERS: ClassVar[dict[str, Any]] = {
        "name": "Edge",
        "url": f"{URL}/callback",
        "is_active": "on",
        "events": ["begin", "updated"],
        "source_system": "Hookline",
    }

    def saved(self, browser: Client, **answers: Any) -> CallNotification:
        where = address("add", screen="callnotification")
        assert browser.post(where, {**self.ANSWERS, **answers}).status_code == 302
        webhook: CallNotification = CallNotification.objects.get()
        return webhook

    def test_are_one_webhook_with_three_templates(self, browser: Client) -> None:
        webhook = self.saved(browser)
        attachments = {each.timing: each for each in webhook.attachments.all()}
        assert {timing: each.is_active for timing, each in attachments.items()} == {
            "begin": True,
            "end": False,
            "updated": True,
        }
        assert attachments["end"].own_template is None
        assert webhook.template.name == "Call notification: preprocessed (Edge)"
        assert Template.objects.filter(name__endswith="(Edge)").count() == 3
        assert len(webhook.key_id) == 32
        assert webhook.secret.startswith("whsec_")

    def test_keep_their_key_until_another_is_typed(self, browser: Client) -> None:
        webhook = self.saved(browser, signing_key="the key of 2011")
        change = address("change", webhook.pk, screen="callnotification")
        page = browser.get(change).content.decode()
        assert "the key of 2011" not in page
        browser.post(change, {**self.ANSWERS, "events": ["end"], "source_system": "Other"})
        webhook.refresh_from_db()
        assert webhook.secret == "the key of 2011"
        assert [each.timing for each in webhook.attachments.filter(is_active=True)] == ["end"]
        sources = [each.value for each in webhook.headers.filter(name="x-Source-system")]
        assert sources == ["Other"]
        browser.post(change, {**self.ANSWERS, "signing_key": "the next one"})
        webhook.refresh_from_db()
        assert webhook.secret == "the next one"
        assert Template.objects.filter(name__endswith="(Edge)").count() == 3

    @pytest.mark.parametrize(
        ("answers", "field"),
        [
            ({"events": []}, "events"),
            ({"events": ["never"]}, "events"),
            ({"signing_key": "short"}, "signing_key"),
            ({"source_system": "%nonsense%"}, "source_system"),
            ({"key_id": "%nonsense%"}, "key_id"),
            ({"url": "ftp://example.com"}, "url"),
        ],
    )
    def test_refuse_what_can_not_be(
        self, browser: Client, answers: dict[str, Any], field: str
    ) -> None:
        where = address("add", screen="callnotification")
        assert field in errors(browser.post(where, {**self.ANSWERS, **answers}))

    def test_are_set_up_by_admins(self, world: World, log_in: LogIn) -> None:
        member = log_in(account=world.account, role=Role.MEMBER)
        assert member.get(address("add", screen="callnotification")).status_code == 403
        assert member.get(address("changelist", screen="callnotification")).status_code == 200
