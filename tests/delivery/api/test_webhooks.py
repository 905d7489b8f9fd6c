"""Webhooks over the API: made in one go, changed, switched, tested, judged."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from apps.accounts.models import Scope
from apps.calls.events import Timing
from apps.campaigns.models import Attachment
from apps.common.access import Role
from apps.delivery.testing import MOST_OF_ACCOUNT
from apps.webhooks.models import Template, Webhook, WebhookHeader
from apps.webhooks.secrets import new_signing_secret
from tests.api_client import Api, api_for, faults, good, problem
from tests.builders import World, attach, event, make_template, make_webhook, make_world
from tests.common.processes import wait_until
from tests.conftest import LogIn
from tests.delivery.receiver import Receiver
from tests.delivery.test_testing import prepared, under_way

pytestmark = pytest.mark.django_db

URL = "https://93.184.216.34/leads"


@pytest.fixture
def api(world: World) -> Api:
    return api_for(world.account, Scope.READ, Scope.WRITE, Scope.INGEST)


def body(world: World, **fields: Any) -> dict[str, Any]:
    return {
        "name": "CRM",
        "url": URL,
        "location": world.location.public_id,
        "template": {"name": "Lead", "format": "json", "sample": '{"phone": "%ani%"}'},
        "headers": [{"name": "X-Api-Key", "value": "k-123"}, {"name": "Accept", "value": "*/*"}],
        "attachments": [
            {"timing": "begin", "option": world.sales.public_id},
            {"timing": "end", "campaign": world.campaign.public_id, "not_later_than_min": 60},
        ],
        **fields,
    }


class TestListsInABody:
    """Each is judged by its length before what is in it."""

    @pytest.mark.parametrize(
        ("field", "items"),
        [
            ("headers", [{"name": "X", "value": "1"}] * 101),
            ("attachments", [{"timing": "end"}] * 51),
            ("success_codes", ["x"] * 21),
            ("retry_waits_s", ["x"] * 31),
        ],
    )
    def test_of_a_webhook_are_short(
        self, api: Api, world: World, field: str, items: list[Any]
    ) -> None:
        told = problem(api.post("/webhooks", body(world, **{field: items})), 422, "invalid")
        assert faults(told) == [(f"/{field}", "max_length")]
        assert not Webhook.objects.exists()

    def test_of_a_treatment_are_short(self, api: Api, world: World) -> None:
        told = problem(
            api.post(
                "/treatments",
                {
                    "location": world.location.public_id,
                    "name": "Menu",
                    "options": [{"key": str(key)} for key in range(101)],
                },
            ),
            422,
            "invalid",
        )
        assert faults(told) == [("/options", "max_length")]

    def test_of_a_replay_are_short(self, api: Api) -> None:
        asked = {
            "since": "2026-01-01T00:00:00Z",
            "until": "2026-01-02T00:00:00Z",
            "webhooks": ["nonsense"] * 501,
            "states": ["nonsense"] * 6,
            "timings": ["nonsense"] * 4,
        }
        told = problem(api.post("/replays", asked), 422, "invalid")
        assert faults(told) == [
            ("/webhooks", "max_length"),
            ("/states", "max_length"),
            ("/timings", "max_length"),
        ]


class TestANewWebhook:
    def test_comes_with_its_template_and_attachments(self, api: Api, world: World) -> None:
        made = good(api.post("/webhooks", body(world)), 201)
        webhook = Webhook.objects.get(pk=Webhook.key_of(made["id"]))
        assert (webhook.template.name, webhook.location) == ("Lead", world.location)
        assert made["secret"] == webhook.secret
        assert made["template"] == webhook.template.public_id
        assert [each["timing"] for each in made["attachments"]] == ["begin", "end"]
        assert {each.option or each.campaign for each in webhook.attachments.all()} == {
            world.sales,
            world.campaign,
        }

    def test_shows_its_secrets_once(self, api: Api, world: World) -> None:
        made = good(api.post("/webhooks", body(world)), 201)
        shown = good(api.get(f"/webhooks/{made['id']}"))
        assert "secret" not in shown
        assert shown["headers"] == [
            {"name": "X-Api-Key", "value": None, "is_secret": True},
            {"name": "Accept", "value": "*/*", "is_secret": False},
        ]
        assert "k-123" not in str(made)
        (listed,) = good(api.get("/webhooks"))["data"]
        assert not {"secret", "headers"} & listed.keys()

    def test_has_the_etag_that_it_is_read_with(self, api: Api, world: World) -> None:
        made = api.post("/webhooks", body(world))
        at = made["Location"].removeprefix("/api/v1")
        assert api.get(at)["ETag"] == made["ETag"]

    def test_takes_a_template_that_there_is(self, api: Api, world: World) -> None:
        made = good(api.post("/webhooks", body(world, template=world.xml.public_id)), 201)
        assert made["template"] == world.xml.public_id

    def test_works(self, api: Api, world: World) -> None:
        good(
            api.post("/webhooks", body(world, location=None, attachments=[{"timing": "begin"}])),
            201,
        )
        good(api.post("/events", event(world)), 202)
        (delivery,) = good(api.get("/deliveries?expand=webhook,call"))["data"]
        assert delivery["webhook"]["name"] == "CRM"
        assert delivery["call"]["call_id"] == "c1"

    @pytest.mark.parametrize(
        ("fields", "pointer"),
        [
            ({"url": "http://169.254.169.254/"}, "/url"),
            ({"url": "ftp://example.com"}, "/url"),
            ({"name": ""}, "/name"),
            ({"method": "GET"}, "/method"),
            ({"success_codes": [99]}, "/success_codes/0"),
            ({"success_codes": []}, "/success_codes"),
            ({"retry_waits_s": [0]}, "/retry_waits_s"),
            ({"timeout_s": 61}, "/timeout_s"),
            ({"headers": [{"name": "Host", "value": "x"}]}, "/headers/0/name"),
            (
                {"headers": [{"name": "X-A", "value": "1"}, {"name": "x-a", "value": "2"}]},
                "/headers/1/name",
            ),
            ({"headers": [{"name": "X-Key"}]}, "/headers/0/value"),
            ({"headers": [{"name": "X-Key", "value": "%nope%"}]}, "/headers/0/value"),
            ({"template": {"name": "T", "format": "json", "sample": "{"}}, "/template/sample"),
            ({"template": {"format": "json", "sample": "{}"}}, "/template/name"),
            ({"template": 7}, "/template"),
            (
                {
                    "template": {
                        "name": "T",
                        "format": "json",
                        "sample": "{}",
                        "mapping": [{"path": "$.no"}],
                    }
                },
                "/template/mapping/0",
            ),
            ({"attachments": [{"timing": "begin"}, {"timing": "noon"}]}, "/attachments/1/timing"),
            ({"location": None, "attachments": [{"timing": "end"}] * 2}, "/attachments/1"),
            ({"secret": "whsec_x", "colour": "red"}, "/colour"),
        ],
    )
    def test_is_made_whole_or_not_at_all(
        self, api: Api, world: World, fields: dict[str, Any], pointer: str
    ) -> None:
        templates = Template.objects.count()
        told = problem(api.post("/webhooks", body(world, **fields)), 422, "invalid")
        assert pointer in [place for place, _ in faults(told)]
        assert not Webhook.objects.exists()
        assert not Attachment.objects.exists()
        assert Template.objects.count() == templates


class TestChanging:
    def test_keeps_a_secret_header_without_a_value(self, api: Api, world: World) -> None:
        webhook = make_webhook(world, URL, headers={"X-Api-Key": "k", "X-Old": "o"})
        headers = [{"name": "X-Api-Key"}, {"name": "X-New", "value": "n"}]
        good(api.patch(f"/webhooks/{webhook.public_id}", {"headers": headers}))
        saved = WebhookHeader.objects.filter(webhook=webhook)
        assert {header.name: header.value for header in saved} == {"X-Api-Key": "k", "X-New": "n"}

    def test_finds_the_value_of_a_header_whatever_the_case_of_its_name(
        self, api: Api, world: World
    ) -> None:
        webhook = make_webhook(world, URL, headers={"X-Api-Key": "k"})
        good(api.patch(f"/webhooks/{webhook.public_id}", {"headers": [{"name": "x-api-key"}]}))
        header = webhook.headers.get()
        assert (header.name, header.value) == ("x-api-key", "k")

    def test_takes_no_header_twice_in_whatever_case(self, api: Api, world: World) -> None:
        webhook = make_webhook(world, URL, headers={"X-Api-Key": "k"})
        headers = [{"name": "X-Api-Key"}, {"name": "x-api-key", "value": "n"}]
        at = f"/webhooks/{webhook.public_id}"
        told = problem(api.patch(at, {"headers": headers}), 422, "invalid")
        assert faults(told) == [("/headers/1/name", "not_unique")]
        assert webhook.headers.get().value == "k"

    def test_leaves_what_is_not_named(self, api: Api, world: World) -> None:
        webhook = make_webhook(world, URL, headers={"X-Api-Key": "k"}, timeout_s=30)
        changed = good(api.patch(f"/webhooks/{webhook.public_id}", {"name": "New"}))
        assert (changed["name"], changed["timeout_s"]) == ("New", 30)
        assert WebhookHeader.objects.count() == 1

    def test_lets_no_member_take_credentials_to_another_host(
        self, world: World, log_in: LogIn
    ) -> None:
        webhook = make_webhook(world, URL, headers={"X-Api-Key": "k"})
        at, moved = f"/webhooks/{webhook.public_id}", {"url": "https://93.184.216.35/"}
        member = Api(browser=log_in(account=world.account, role=Role.MEMBER))
        assert faults(problem(member.patch(at, moved), 422, "invalid"))[0][0] == "/url"
        good(Api(browser=log_in(account=world.account, role=Role.ADMIN)).patch(at, moved))

    def test_refuses_an_address_as_for_a_new_one(self, api: Api, world: World) -> None:
        private = {"url": "http://169.254.169.254/"}
        webhook = make_webhook(world, URL)
        for told in (
            api.post("/webhooks", body(world, **private)),
            api.patch(f"/webhooks/{webhook.public_id}", private),
        ):
            assert faults(problem(told, 422, "invalid")) == [("/url", "blocked_url")]

    def test_switches_on_and_off(self, api: Api, world: World) -> None:
        webhook = make_webhook(world, URL, disabled_reason="410", is_active=False)
        at = f"/webhooks/{webhook.public_id}"
        assert good(api.post(f"{at}/enable"))["disabled_reason"] == ""
        assert not good(api.post(f"{at}/disable"))["is_active"]
        assert good(api.patch(at, {"is_active": True}))["is_active"]


class TestItsSecret:
    def test_is_replaced_and_shown_once(self, api: Api, world: World) -> None:
        webhook = make_webhook(world, URL)
        new = good(api.post(f"/webhooks/{webhook.public_id}/rotate-secret", {"keep_hours": 1}))
        old, webhook.secret = webhook.secret, ""
        webhook.refresh_from_db()
        assert new == {"secret": webhook.secret}
        assert webhook.secret != old
        assert [retired.secret for retired in webhook.retired_secrets.all()] == [old]

    def test_may_be_one_that_somebody_brings(self, api: Api, world: World) -> None:
        webhook = make_webhook(world, URL)
        at, own = f"/webhooks/{webhook.public_id}/rotate-secret", new_signing_secret()

        assert good(api.post(at, {"secret": own})) == {"secret": own}

        webhook.refresh_from_db()
        assert webhook.secret == own
        refused = problem(api.post(at, {"secret": "not one of Standard Webhooks"}), 422, "invalid")
        assert [pointer for pointer, _ in faults(refused)] == ["/secret"]

    def test_that_others_know_signs_no_more(self, api: Api, world: World) -> None:
        webhook = make_webhook(world, URL)
        good(api.post(f"/webhooks/{webhook.public_id}/rotate-secret", {"keep_hours": 0}))
        assert not webhook.retired_secrets.exists()
        problem(
            api.post(f"/webhooks/{webhook.public_id}/rotate-secret", {"keep_hours": 169}),
            422,
            "invalid",
        )


class TestTrying:
    def test_sends_one_request_and_shows_it(
        self, api: Api, world: World, receiver: Receiver
    ) -> None:
        webhook = make_webhook(world, receiver.url(), headers={"X-Api-Key": "k-1"})
        shown = good(api.post(f"/webhooks/{webhook.public_id}/test"))
        (request,) = receiver.requests
        assert shown["is_success"]
        assert shown["request"]["body"] == request.body.decode()
        assert shown["response"]["status"] == 200
        assert "k-1" not in str(shown)

    def test_is_told_to_try_again_while_others_wait(
        self, api: Api, world: World, receiver: Receiver
    ) -> None:
        webhook = make_webhook(world, receiver.url("/gated"))
        with under_way(receiver, *[prepared(webhook)] * MOST_OF_ACCOUNT):
            refused = api.post(f"/webhooks/{webhook.public_id}/test")
            problem(refused, 429, "too_many_tests")
            assert refused["Retry-After"] == "5"

    @pytest.mark.django_db(transaction=True)
    def test_may_not_be_asked_for_by_others(self, world: World, log_in: LogIn) -> None:
        webhook = make_webhook(world, URL)
        at = f"/webhooks/{webhook.public_id}/test"
        problem(api_for(make_world("Other").account).post(at), 404, "not_found")
        viewer = Api(browser=log_in(account=world.account, role=Role.VIEWER))
        problem(viewer.post(at), 403, "permission_denied")
        problem(api_for(world.account, Scope.READ).post(at), 403, "permission_denied")

    def test_is_not_sent_again_with_the_same_key(
        self, api: Api, world: World, receiver: Receiver
    ) -> None:
        webhook = make_webhook(world, receiver.url())
        for _ in range(2):
            shown = api.post(f"/webhooks/{webhook.public_id}/test", **{"Idempotency-Key": "k1"})
            assert good(shown)["is_success"]
        assert len(receiver.requests) == 1

    @pytest.mark.django_db(transaction=True)
    def test_is_not_sent_again_with_the_same_key_meanwhile(
        self, api: Api, world: World, receiver: Receiver
    ) -> None:
        at = f"/webhooks/{make_webhook(world, receiver.url('/gated')).public_id}/test"

        def send() -> Any:
            try:
                return api.post(at, **{"Idempotency-Key": "k1"})
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as sender:
            first = sender.submit(send)
            try:
                wait_until(lambda: receiver.requests)
                problem(api.post(at, **{"Idempotency-Key": "k1"}), 409, "request_in_progress")
            finally:
                receiver.gate.set()
        again = api.post(at, **{"Idempotency-Key": "k1"})
        assert again["Idempotent-Replayed"] == "true"
        assert good(again) == good(first.result())
        assert len(receiver.requests) == 1

    def test_backtests_the_newest_calls(self, api: Api, world: World) -> None:
        webhook = make_webhook(world, URL)
        good(api.post("/events", event(world)), 202)
        at = f"/webhooks/{webhook.public_id}/backtest"
        assert good(api.get(at))["data"][0]["why_not"] == "The webhook is attached nowhere."
        attach(webhook, Timing.BEGIN)
        (call,) = good(api.get(f"{at}?limit=1"))["data"]
        assert call["would_send"][0]["timing"] == "begin"
        problem(api.get(f"{at}?limit=51"), 400, "invalid_parameter")

    def test_backtests_what_an_attachment_sends_of_its_own(self, api: Api, world: World) -> None:
        webhook = make_webhook(world, URL)
        good(api.post("/events", event(world)), 202)
        attachment = attach(webhook, Timing.BEGIN)
        attachment.own_template = make_template(world.account, "Own", '{"mine": "%ani%"}')
        attachment.save()
        (call,) = good(api.get(f"/webhooks/{webhook.public_id}/backtest"))["data"]
        assert "mine" in call["would_send"][0]["payload"]

    def test_counts(self, api: Api, world: World) -> None:
        attach(make_webhook(world, URL), Timing.BEGIN)
        good(api.post("/events", event(world)), 202)
        (webhook,) = Webhook.objects.all()
        stats = good(api.get(f"/webhooks/{webhook.public_id}/stats?days=1"))
        assert stats["deliveries"]["pending"] == stats["backlog"] == 1
