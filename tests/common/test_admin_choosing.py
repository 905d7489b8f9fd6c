"""Selects of rows: of many, a page has the chosen one, and is asked for the others."""

import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import Account, Location
from apps.campaigns.models import Campaign
from apps.common.access import Role
from apps.common.admin.choosing import ASKED, MOST_SHOWN
from apps.webhooks.models import Webhook
from tests.builders import World, attach, make_webhook, make_world
from tests.conftest import LogIn
from tests.factories import AgencyFactory, LocationFactory, MembershipFactory
from tests.webhooks.admin_forms import webhook_form

pytestmark = pytest.mark.django_db

MANY = MOST_SHOWN + 10
_ASKS = re.compile(r'data-ajax--url="([^"]+)"')
_OPTION = re.compile(r'<option value="([^"]*)"')


def crowd(account: Account, count: int = MANY) -> list[Location]:
    """Give an account so many locations, which are listed in this order."""
    names = [f"Place {number:04}" for number in range(count)]
    return Location.objects.bulk_create([Location(account=account, name=each) for each in names])


def select(page: Any, name: str) -> str:
    """Return a select of a page."""
    found = re.search(rf'<select name="{name}".*?</select>', page.content.decode(), re.DOTALL)
    assert found, name
    return found[0]


def asked(browser: Client, page: Any, name: str, /, **query: Any) -> dict[str, Any]:
    """Ask where a select says, and return the answer."""
    found = _ASKS.search(select(page, name))
    assert found, f"{name} does not ask"
    link = found[1].replace("&amp;", "&")
    answer = browser.get(f"{link}&{urlencode(query)}")
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def names(body: dict[str, Any]) -> list[str]:
    """Return what an answer offers."""
    return [each["text"] for each in body["results"]]


@pytest.fixture
def browser(world: World, log_in: LogIn) -> Client:
    return log_in(account=world.account)


@pytest.fixture
def webhook(world: World) -> Webhook:
    return make_webhook(world, "https://93.184.216.34/", location=world.location)


class TestTheSelectOfAForm:
    def test_has_a_few_rows_at_once(self, browser: Client, world: World, webhook: Webhook) -> None:
        crowd(world.account, MOST_SHOWN - 1)
        page = browser.get(reverse("admin:webhooks_webhook_change", args=[webhook.pk]))
        shown = select(page, "location")
        assert len(_OPTION.findall(shown)) == MOST_SHOWN + 1, "with the empty one"
        assert "data-ajax" not in shown

    def test_has_the_chosen_one_of_many(
        self, browser: Client, world: World, webhook: Webhook
    ) -> None:
        crowd(world.account)
        page = browser.get(reverse("admin:webhooks_webhook_change", args=[webhook.pk]))
        assert _OPTION.findall(select(page, "location")) == ["", str(world.location.pk)]
        add = browser.get(reverse("admin:webhooks_webhook_add"))
        assert _OPTION.findall(select(add, "location")) == [""]

    def test_is_told_of_all_page_by_page(self, browser: Client, world: World) -> None:
        crowd(world.account, 2 * MOST_SHOWN)
        page = browser.get(reverse("admin:webhooks_webhook_add"))
        told = [asked(browser, page, "location", page=str(number)) for number in (1, 2, 3)]
        assert [each["pagination"]["more"] for each in told] == [True, True, False]
        first, *others = [row for each in told for row in each["results"]]
        assert first["id"] == ""
        everywhere = map(str, Location.objects.filter(account=world.account).values_list("pk"))
        assert len({row["id"] for row in others}) == len(others) == len(list(everywhere))

    @pytest.mark.parametrize("page", ["0", "-1", "x", "²", "9" * 5_000, "99999999", ""])
    def test_is_told_the_first_or_none_by_what_is_no_page(
        self, browser: Client, world: World, page: str
    ) -> None:
        crowd(world.account)
        add = browser.get(reverse("admin:webhooks_webhook_add"))
        assert len(asked(browser, add, "location", page=page)["results"]) in (0, MOST_SHOWN + 1)

    def test_finds_by_typing(self, browser: Client, world: World) -> None:
        crowd(world.account)
        page = browser.get(reverse("admin:webhooks_webhook_add"))
        assert names(asked(browser, page, "location", term="0042")) == ["Place 0042"]
        assert names(asked(browser, page, "location", term="\0 none")) == []

    def test_takes_what_was_found(self, browser: Client, world: World, webhook: Webhook) -> None:
        last = crowd(world.account)[-1]
        link = reverse("admin:webhooks_webhook_change", args=[webhook.pk])
        answers = webhook_form(webhook.template, location=str(last.pk))
        again = browser.post(link, {**answers, "name": ""})
        assert _OPTION.findall(select(again, "location")) == ["", str(last.pk)]
        assert browser.post(link, answers).status_code == 302
        webhook.refresh_from_db()
        assert webhook.location == last

    def test_offers_what_its_form_does(
        self, browser: Client, world: World, log_in: LogIn, webhook: Webhook
    ) -> None:
        """A webhook of one location is attached there only, whatever else there is."""
        places = crowd(world.account)
        here = [Campaign(account=world.account, location=world.location, name="Here")]
        there = [Campaign(account=world.account, location=place, name="There") for place in places]
        Campaign.objects.bulk_create([*here, *there])
        link = reverse("admin:campaigns_attachment_add")
        page = browser.get(link, {"webhook": str(webhook.pk)})
        assert "data-ajax" not in select(page, "campaign"), "there are few"
        answer = browser.get(link, {"webhook": str(webhook.pk), ASKED: "campaign"})
        assert names(answer.json())[1:] == ["Here", "Spring"]

    def test_asks_the_account_of_its_row(self, log_in: LogIn) -> None:
        agency = AgencyFactory()
        one, other = (make_world(name, parent=agency) for name in ("One", "Other"))
        for world in (one, other):
            crowd(world.account)
        webhook = make_webhook(one, "https://93.184.216.34/")
        browser = log_in(account=agency)
        browser.post(reverse("switch_account"), {"account": str(other.account.pk)})
        page = browser.get(reverse("admin:webhooks_webhook_change", args=[webhook.pk]))
        keys = {row["id"] for row in asked(browser, page, "location", term="Place")["results"]}
        of = Location.objects.filter(pk__in=keys).values_list("account", flat=True)
        assert set(of) == {one.account.pk}

    def test_tells_accounts_apart_where_there_are_several(self, log_in: LogIn) -> None:
        agency = AgencyFactory()
        for name in ("First", "Second"):
            crowd(make_world(name, parent=agency).account)
        browser = log_in(account=agency)
        page = browser.get(reverse("admin:webhooks_webhook_add"))
        assert names(asked(browser, page, "location", term="second 0007")) == [
            "Place 0007 (Second)"
        ]

    @pytest.mark.parametrize("name", ["", "name", "nothing", "account", "headers-name"])
    def test_is_one_of_rows(self, browser: Client, name: str) -> None:
        link = reverse("admin:webhooks_webhook_add")
        assert browser.get(link, {ASKED: name}).status_code == 404

    def test_answers_those_who_see_its_page(self, world: World, log_in: LogIn) -> None:
        query = {ASKED: "location"}
        viewer = log_in(account=world.account, role=Role.VIEWER)
        assert viewer.get(reverse("admin:webhooks_webhook_add"), query).status_code == 403
        assert Client().get(reverse("admin:webhooks_webhook_add"), query).status_code == 302


class TestTheSelectsOfInlines:
    def test_name_the_chosen_rows_in_one_query(self, browser: Client, world: World) -> None:
        Webhook.objects.bulk_create(
            Webhook(account=world.account, name=f"Hook {n:04}", template=world.json, secret="x")
            for n in range(MANY)
        )
        hooks = list(Webhook.objects.filter(account=world.account))
        link = reverse("admin:campaigns_campaign_change", args=[world.campaign.pk])
        browser.get(link)
        counted = []
        for hook in hooks[:6]:
            attach(hook, campaign=world.campaign)
            with CaptureQueriesContext(connection) as queries:
                page = browser.get(link)
            counted.append(len(queries))
        assert len(set(counted)) == 1, counted
        for index, hook in enumerate(hooks[:6]):
            shown = select(page, f"attachments-{index}-webhook")
            assert f'value="{hook.pk}" selected' in shown
            assert len(_OPTION.findall(shown)) == 7, "those of all rows, and the empty one"
        found = asked(browser, page, "attachments-__prefix__-webhook", term="0042")
        assert names(found) == ["Hook 0042"]


class TestTheFilterOfAList:
    def test_asks_where_there_are_many(self, browser: Client, world: World) -> None:
        places = crowd(world.account)
        link = reverse("admin:webhooks_webhook_changelist")
        page = browser.get(link, {"location__id__exact": str(places[-1].pk)})
        name = "location__id__exact"
        assert set(_OPTION.findall(select(page, name))) == {"", str(places[-1].pk)}
        assert names(asked(browser, page, name))[:2] == ["All", str(world.location)]
        assert names(asked(browser, page, name, term="0042")) == ["Place 0042"]

    def test_has_few_at_once(self, browser: Client, world: World) -> None:
        LocationFactory(account=world.account)
        page = browser.get(reverse("admin:webhooks_webhook_changelist"))
        shown = select(page, "location__id__exact")
        assert len(_OPTION.findall(shown)) == 3
        assert "data-ajax" not in shown

    @pytest.mark.parametrize("name", ["", "nothing", "is_active", "account", "template__account"])
    def test_is_one_of_rows(self, browser: Client, name: str) -> None:
        link = reverse("admin:webhooks_webhook_changelist")
        assert browser.get(link, {ASKED: name}).status_code == 404

    def test_answers_those_who_see_the_list(self, world: World, log_in: LogIn) -> None:
        person = MembershipFactory(account=world.account, role=Role.VIEWER).user
        link = reverse("admin:accounts_apikey_changelist")
        assert log_in(user=person).get(link, {ASKED: "account"}).status_code == 403


class TestOtherPages:
    def test_a_replay_asks_for_webhooks(
        self, browser: Client, world: World, webhook: Webhook
    ) -> None:
        Webhook.objects.bulk_create(
            Webhook(account=world.account, name=f"Hook {n:04}", template=world.json, secret="x")
            for n in range(MANY)
        )
        page = browser.get(reverse("admin:delivery_replay_new"), {"webhook": str(webhook.pk)})
        assert _OPTION.findall(select(page, "webhook")) == ["", str(webhook.pk)]
        assert names(asked(browser, page, "webhook"))[0] == "All webhooks"
        assert names(asked(browser, page, "webhook", term="0042")) == ["Hook 0042"]

    @pytest.mark.parametrize(
        ("action", "name"),
        [("apply_webhook_to_selected", "webhook"), ("apply_template_to_selected", "template")],
    )
    def test_applying_asks_for_what_is_applied(
        self, world: World, browser: Client, monkeypatch: pytest.MonkeyPatch, action: str, name: str
    ) -> None:
        make_webhook(world, "https://93.184.216.34/", template=world.json)
        other = make_world("Other")
        make_webhook(other, "https://93.184.216.34/")
        monkeypatch.setattr("apps.common.admin.choosing.MOST_SHOWN", 0)
        page = browser.post(
            reverse("admin:accounts_location_changelist"),
            {"action": action, "_selected_action": [str(world.location.pk)], "index": "0"},
        )
        assert _OPTION.findall(select(page, name)) == [""]
        monkeypatch.undo()
        found = asked(browser, page, name)
        assert len(found["results"]) == (2 if name == "webhook" else 3)

    def test_what_can_not_be_applied_is_not_asked_for(self, world: World, log_in: LogIn) -> None:
        link = reverse("apply_choices", args=["apply_webhook_to_selected"])
        member = log_in(account=world.account)
        assert member.get(reverse("apply_choices", args=["all"])).status_code == 404
        assert member.get(link).status_code == 404
        assert member.get(link, {ASKED: "timings"}).status_code == 404
        viewer = log_in(account=world.account, role=Role.VIEWER)
        assert viewer.get(link, {ASKED: "webhook"}).status_code == 403

    def test_an_import_asks_for_the_account(self, log_in: LogIn) -> None:
        agency = AgencyFactory(name="Agency")
        Account.objects.bulk_create(
            Account(name=f"Client {number:04}", parent=agency) for number in range(MANY)
        )
        browser = log_in(account=agency)
        page = browser.get(reverse("admin:campaigns_import_new", args=["locations"]))
        assert names(asked(browser, page, "account", term="0042")) == ["Client 0042"]

    def test_the_wizard_asks_for_what_fits_the_location(
        self, browser: Client, world: World
    ) -> None:
        last = crowd(world.account)[-1]
        page = browser.get(reverse("wizard"), {"location": str(last.pk)})
        assert _OPTION.findall(select(page, "location")) == ["", str(last.pk)]
        assert names(asked(browser, page, "location", term="0042")) == ["Place 0042"]
