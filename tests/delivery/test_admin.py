"""Deliveries: read, copied, and sent again."""

import datetime as dt
import re
import shlex
import subprocess
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from apps.accounts.models import Account, Location, User
from apps.campaigns.models import Attachment
from apps.common.access import Role
from apps.common.ids import new_id
from apps.common.models import AuditAction, AuditEntry
from apps.delivery.admin import deliveries as deliveries_admin
from apps.delivery.admin.attempts import as_curl, explained, pretty
from apps.delivery.api import deliveries as deliveries_api
from apps.delivery.models import Attempt, Delivery, DeliveryState
from apps.delivery.outcome import ErrorKind
from apps.delivery.services import resend
from apps.webhooks.models import Webhook
from tests.api_client import api_for
from tests.builders import attach, lose_key
from tests.conftest import LogIn
from tests.factories import (
    AccountFactory,
    AttachmentFactory,
    AttemptFactory,
    DeliveryFactory,
    LocationFactory,
    MembershipFactory,
    ReplayFactory,
    WebhookFactory,
)


class TestWords:
    @pytest.mark.parametrize("kind", list(ErrorKind))
    def test_every_kind_of_failure_is_explained(self, kind: ErrorKind) -> None:
        assert explained(kind)

    def test_shows_the_structure_of_json_and_xml(self) -> None:
        assert pretty('{"a":{"b":1}}') == '{\n  "a": {\n    "b": 1\n  }\n}'
        assert pretty("<a><b>1</b></a>") == "<a>\n  <b>1</b>\n</a>\n"

    @pytest.mark.parametrize("body", ["", "plain", "{broken", "<broken", "a=1&b=2"])
    def test_leaves_anything_else_as_it_is(self, body: str) -> None:
        assert pretty(body) == body

    def test_bodies_nested_too_deeply_stay_as_they_are(self) -> None:
        for body in ("[" * 65_536, '{"a":' * 10_000, "<a>" * 20_000):
            assert pretty(body) == body

    def test_a_few_levels_more_make_no_page_of_megabytes(self) -> None:
        deep, flat = "[" * 33 + "]" * 33, "[" * 32 + "]" * 32
        assert pretty(deep) == deep
        assert pretty(flat) != flat
        assert len(pretty(f"[{','.join([flat] * 1_000)}]")) < 100_000

    @pytest.mark.parametrize("body", ['{"a": "\\ud800"}', '{"a": ' + "1" * 5_000 + "}"])
    def test_values_that_no_page_can_show_stay_as_they_are(self, body: str) -> None:
        assert pretty(body) == body

    def test_expands_no_entities(self) -> None:
        body = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>'
        assert "&x;" in pretty(body)

    def test_a_curl_command_survives_the_shell(self) -> None:
        body = '{"name": "O\'Brien $(id) `id` & <b>"}'
        attempt = Attempt(
            method="POST",
            url="https://example.com/?a=1&b='2'",
            request_headers={"X-Note": "it's"},
            request_body=body,
        )
        words = shlex.split(as_curl(attempt, attempt.url).replace("\\\n", ""))
        assert words == [
            *("curl", "-X", "POST", attempt.url),
            *("-H", "X-Note: it's"),
            *("--data-raw", body),
        ]
        printed = as_curl(attempt, attempt.url).replace("curl", "printf '%s|'", 1)
        shell = subprocess.run(["/bin/sh", "-c", printed], capture_output=True, check=True)
        assert shell.stdout.decode().split("|")[-2] == body


@pytest.mark.django_db
class TestPages:
    @pytest.fixture
    def account(self) -> Account:
        return AccountFactory()

    @pytest.fixture
    def delivery(self, account: Account) -> Delivery:
        delivery = DeliveryFactory(account=account, state=DeliveryState.FAILED)
        AttemptFactory(
            delivery=delivery,
            response_status=503,
            response_headers=[["Retry-After", "120"]],
            response_body="<script>alert(1)</script>",
            error_kind="http",
        )
        return delivery

    def test_a_delivery_shows_its_tries(self, log_in: LogIn, delivery: Delivery) -> None:
        page = log_in(account=delivery.account, role=Role.VIEWER).get(
            reverse("admin:delivery_delivery_change", args=[delivery.pk])
        )
        text = page.content.decode()
        assert "503" in text
        assert "<dt>Retry-After</dt><dd>120</dd>" in text
        assert "&quot;phone&quot;: &quot;7776734736&quot;" in text
        assert "<script>alert(1)" not in text
        assert "does not count as success" in text
        assert "curl -X POST" in text

    def test_a_delivery_of_a_secret_that_can_not_be_read_is_shown(
        self, log_in: LogIn, delivery: Delivery
    ) -> None:
        lose_key(delivery.webhook)
        page = log_in(account=delivery.account).get(
            reverse("admin:delivery_delivery_change", args=[delivery.pk])
        )
        assert page.status_code == 200

    def test_a_delivery_shows_so_many_tries_at_once(
        self, log_in: LogIn, delivery: Delivery, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(deliveries_admin, "_TRIES_SHOWN", 2)
        for number in range(2, 6):
            AttemptFactory(delivery=delivery, number=number)
        address = reverse("admin:delivery_delivery_change", args=[delivery.pk])
        browser = log_in(account=delivery.account, role=Role.VIEWER)
        shown = {}
        for asked in ("", "?p=2", "?p=3", "?p=9", "?p=no"):
            page = browser.get(address + asked)
            shown[asked] = [item["attempt"].number for item in page.context["attempts"]]
        assert list(shown.values()) == [[5, 4], [3, 2], [1], [1], [5, 4]]
        text = browser.get(f"{address}?p=2").content.decode()
        assert 'href="?p=1"' in text
        assert 'href="?p=3"' in text
        assert "3 to 4 of 5" in text

    def test_a_call_shows_its_way(self, log_in: LogIn, delivery: Delivery) -> None:
        page = log_in(account=delivery.account).get(
            reverse("admin:calls_call_change", args=[delivery.call_id])
        )
        titles = [moment.title for moment in page.context["moments"]]
        assert titles == ["Ended", f"{delivery.webhook} (end)"]

    @pytest.mark.parametrize(
        ("next_attempt_in", "leased_for", "is_claimed", "shown"),
        [
            (-1, None, False, "due now"),
            (-1, -1, True, "due now"),
            (-1, 90, True, "being sent"),
            (90, None, False, "in 90 s"),
            (-1, 90, False, "in 90 s"),
        ],
    )
    def test_show_no_next_try_in_the_past(
        self,
        log_in: LogIn,
        account: Account,
        next_attempt_in: int,
        leased_for: int | None,
        is_claimed: bool,
        shown: str,
    ) -> None:
        now = timezone.now()
        pending = DeliveryFactory(
            account=account,
            state=DeliveryState.PENDING,
            next_attempt_at=now + dt.timedelta(seconds=next_attempt_in),
            leased_until=None if leased_for is None else now + dt.timedelta(seconds=leased_for),
            claim=new_id() if is_claimed else None,
        )
        if shown == "in 90 s":
            in_90_s = timezone.localtime(
                now + dt.timedelta(seconds=90), ZoneInfo(account.time_zone)
            )
            shown = date_format(in_90_s, "DATETIME_FORMAT")
        browser = log_in(account)
        row = browser.get(reverse("admin:delivery_delivery_changelist")).content.decode()
        assert shown in row
        page = browser.get(reverse("admin:delivery_delivery_change", args=[pending.pk]))
        assert f"<dt>Next try</dt><dd>{shown}</dd>" in page.content.decode()

    def test_is_sent_again_by_a_post_after_asking(self, log_in: LogIn, delivery: Delivery) -> None:
        browser = log_in(account=delivery.account, role=Role.MEMBER)
        link = reverse("admin:delivery_delivery_resend", args=[delivery.pk])
        assert browser.get(link).status_code == 200
        assert Delivery.objects.count() == 1
        page = browser.post(link)
        again = Delivery.objects.get(resent_from=delivery)
        assert page.headers["Location"] == reverse(
            "admin:delivery_delivery_change", args=[again.pk]
        )

    def test_tells_what_a_webhook_that_is_off_means_for_sending_again(
        self, log_in: LogIn, delivery: Delivery
    ) -> None:
        Webhook.objects.filter(pk=delivery.webhook_id).update(is_active=False)
        browser = log_in(account=delivery.account, role=Role.MEMBER)
        link = reverse("admin:delivery_delivery_resend", args=[delivery.pk])
        assert "The webhook is switched off" in browser.get(link).content.decode()
        again = browser.post(link, follow=True).content.decode()
        assert "sent once the webhook is on" in again
        assert "It is on its way" not in again
        assert "<dt>Next try</dt><dd>once the webhook is on</dd>" in again

    def test_that_is_deleted_meanwhile_is_not_found(
        self, log_in: LogIn, delivery: Delivery, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def resend_late(*, deliveries: list[Delivery], **options: Any) -> list[Delivery]:
            Delivery.objects.all().delete()
            return resend(deliveries=deliveries, **options)

        monkeypatch.setattr(deliveries_admin, "resend", resend_late)
        monkeypatch.setattr(deliveries_api, "resend", resend_late)
        browser = log_in(account=delivery.account, role=Role.MEMBER)
        link = reverse("admin:delivery_delivery_resend", args=[delivery.pk])
        assert browser.post(link).status_code == 404
        answer = api_for(delivery.account).post(f"/deliveries/{delivery.public_id}/resend")
        assert answer.status_code == 404

    def test_several_are_sent_again_at_once_after_asking(
        self, log_in: LogIn, delivery: Delivery
    ) -> None:
        other = DeliveryFactory(account=delivery.account, webhook__name="B")
        third = DeliveryFactory(account=delivery.account, webhook=other.webhook)
        chosen = [delivery, other, third]
        browser = log_in(account=delivery.account, role=Role.MEMBER)
        page = self.resend_selected(browser, chosen)
        assert page.context["title"] == "Send 3 deliveries again?"
        assert [(webhook, total) for webhook, _, total in page.context["webhooks"]] == [
            (other.webhook, 2),
            (delivery.webhook, 1),
        ]
        assert "switched off" not in page.content.decode()
        assert not Delivery.objects.exclude(resent_from=None).exists()

        posted = dict(re.findall('type="hidden" name="(.+?)" value="(.*?)"', page.content.decode()))
        assert posted["action"] == "resend_selected"
        page = self.resend_selected(browser, chosen, **posted)
        assert [str(message) for message in page.context["messages"]] == ["Planned again: 3."]
        assert Delivery.objects.filter(resent_from__in=chosen).count() == 3
        logged = AuditEntry.objects.filter(object_id__in=[each.pk for each in chosen])
        assert [entry.action for entry in logged] == [AuditAction.RESENT] * 3

    def test_of_which_some_wait_for_their_webhook_say_so(
        self, log_in: LogIn, delivery: Delivery
    ) -> None:
        off = DeliveryFactory(account=delivery.account, webhook__is_active=False)
        browser = log_in(account=delivery.account, role=Role.MEMBER)
        page = self.resend_selected(browser, [delivery, off])
        assert page.content.decode().count("sent once it is on again") == 1
        page = self.resend_selected(browser, [delivery, off], confirmed="1")
        assert [str(message) for message in page.context["messages"]] == [
            "Sent only once their webhook is on: 1.",
            "Planned again: 2.",
        ]

    def test_that_somebody_may_only_look_at_are_left_out(
        self, log_in: LogIn, delivery: Delivery
    ) -> None:
        theirs = DeliveryFactory()
        browser = log_in(account=delivery.account, role=Role.MEMBER)
        user = User.objects.get(pk=browser.session["_auth_user_id"])
        MembershipFactory(user=user, account=theirs.account, role=Role.VIEWER)
        page = self.resend_selected(browser, [delivery, theirs])
        assert page.context["title"] == "Send 1 delivery again?"
        assert page.context["deliveries"] == [delivery]
        page = self.resend_selected(browser, [theirs], confirmed="1")
        assert [str(message) for message in page.context["messages"]] == [
            "Some belong to accounts in which you can only look."
        ]
        assert not Delivery.objects.exclude(resent_from=None).exists()

    def resend_selected(self, browser: Client, chosen: list[Delivery], **posted: str) -> Any:
        """Post the action of the list as its page or the one that asks does."""
        keys = {"_selected_action": [each.pk for each in chosen]}
        return browser.post(
            reverse("admin:delivery_delivery_changelist"),
            {"action": "resend_selected", **posted, **keys},
            follow=True,
        )

    def test_that_were_sent_again_are_told_apart(self, log_in: LogIn, delivery: Delivery) -> None:
        DeliveryFactory(account=delivery.account, resent_from=delivery, webhook=delivery.webhook)
        DeliveryFactory(
            account=delivery.account,
            resent_from=delivery,
            webhook=delivery.webhook,
            replay=ReplayFactory(account=delivery.account),
        )
        page = log_in(account=delivery.account).get(reverse("admin:delivery_delivery_changelist"))
        assert page.content.decode().count('<span class="hl-tag">again</span>') == 1
        assert page.content.decode().count('<span class="hl-tag">replay</span>') == 1

    def test_viewers_send_nothing(self, log_in: LogIn, delivery: Delivery) -> None:
        browser = log_in(account=delivery.account, role=Role.VIEWER)
        assert (
            browser.post(reverse("admin:delivery_delivery_resend", args=[delivery.pk])).status_code
            == 403
        )
        browser.post(
            reverse("admin:delivery_delivery_changelist"),
            {"action": "resend_selected", "_selected_action": [delivery.pk]},
        )
        assert Delivery.objects.count() == 1

    def test_a_location_tells_how_its_webhooks_fare(
        self, log_in: LogIn, delivery: Delivery
    ) -> None:
        webhook = delivery.webhook
        for _ in range(3):
            DeliveryFactory(account=delivery.account, webhook=webhook)
        AttachmentFactory(webhook=webhook)
        WebhookFactory(account=delivery.account, location=None, name="Everywhere")
        WebhookFactory(account=delivery.account, name="Elsewhere")
        page = log_in(account=delivery.account).get(
            reverse("admin:accounts_location_webhooks", args=[webhook.location_id])
        )
        text = page.content.decode()
        assert "4 sent" in text
        assert "75% arrived" in text
        assert "Everywhere" in text
        assert "Elsewhere" not in text
        assert "Add Webhook" in text

    def test_a_location_tells_where_a_webhook_of_the_whole_account_is_attached(
        self, log_in: LogIn, account: Account
    ) -> None:
        webhook = WebhookFactory(account=account, location=None, name="Shared")
        one, other = LocationFactory(account=account), LocationFactory(account=account)

        def tab(location: Location) -> str:
            link = reverse("admin:accounts_location_webhooks", args=[location.pk])
            return str(log_in(account).get(link).content.decode())

        assert "Nowhere: nothing is sent" in tab(one)
        attachment = attach(webhook, location=other)
        assert f"Location {other}" in tab(other)
        assert "Not here, but at" in tab(one)
        assert "1 other place</a>" in tab(one)
        assert "Nowhere" not in tab(one)

        Attachment.objects.filter(pk=attachment.pk).update(is_active=False)
        assert "switched off" in tab(other)
        assert "Nowhere: nothing is sent" in tab(one)

    def test_tells_of_the_health_of_a_webhook(
        self, account: Account, delivery: Delivery, log_in: LogIn
    ) -> None:
        health = delivery.webhook.health
        health.last_failure_at = health.failing_since = health.probe_at = timezone.now()
        health.save()

        page = log_in(account).get(
            reverse("admin:webhooks_webhook_health", args=[health.webhook_id])
        )

        text = page.content.decode()
        assert "Left alone" in text
        assert "half-open" in text
        assert "<strong>0%</strong>" in text
        assert "Next try" not in text
        DeliveryFactory(
            account=account,
            webhook=delivery.webhook,
            state=DeliveryState.PENDING,
            next_attempt_at=timezone.now(),
        )
        page = log_in(account).get(
            reverse("admin:webhooks_webhook_health", args=[health.webhook_id])
        )
        assert '<th scope="row">Next try</th><td>due now</td>' in page.content.decode()
        Webhook.objects.update(is_active=False)
        page = log_in(account).get(
            reverse("admin:webhooks_webhook_health", args=[health.webhook_id])
        )
        shown = '<th scope="row">Next try</th><td>once the webhook is on</td>'
        assert shown in page.content.decode()
        assert "Breaker" not in page.content.decode()
        theirs = WebhookFactory()
        page = log_in(account).get(reverse("admin:webhooks_webhook_health", args=[theirs.pk]))
        assert page.status_code == 302
