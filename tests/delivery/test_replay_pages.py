"""The pages of replays, and who may use them."""

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse

from apps.accounts.models import Account
from apps.common.access import Role
from apps.common.models import AuditEntry
from apps.delivery.admin.replays import in_words
from apps.delivery.models import Replay
from apps.delivery.services import work_replays
from apps.delivery.services.replay import MOST_AT_WORK
from apps.webhooks.models import Webhook
from tests.conftest import LogIn
from tests.delivery.test_replay import account as account
from tests.delivery.test_replay import failed, hours_ago, let_pass, started
from tests.delivery.test_replay import webhook as webhook
from tests.factories import AccountFactory, WebhookFactory

pytestmark = pytest.mark.django_db


class TestPages:
    NEW = "admin:delivery_replay_new"

    def answers(self, **changed: Any) -> dict[str, Any]:
        return {
            "webhook": "",
            "states": ["failed", "expired"],
            "timing": "",
            "since": f"{hours_ago(24):%Y-%m-%dT%H:%M}",
            "until": f"{hours_ago(-24):%Y-%m-%dT%H:%M}",
            "version": "same",
            "rate_per_s": "10",
            **changed,
        }

    def test_counts_asks_and_starts(
        self, account: Account, webhook: Webhook, log_in: LogIn
    ) -> None:
        failed(webhook)
        browser = log_in(account=account, role=Role.MEMBER)
        counted = browser.post(reverse(self.NEW), self.answers()).content.decode()
        assert "It would send 1 delivery of 1 webhook, in about 1 second." in counted
        assert not Replay.objects.exists()

        changed = browser.post(reverse(self.NEW), self.answers(change="1")).content.decode()
        assert "It would send" not in changed

        answer = browser.post(reverse(self.NEW), self.answers(start="1"))
        replay = Replay.objects.get()
        page = reverse("admin:delivery_replay_change", args=[replay.pk])
        assert answer.headers["Location"] == page
        assert (replay.total, replay.account) == (1, account)
        assert AuditEntry.objects.get(object_id=replay.pk).object_label == str(replay)

        let_pass(replay, 60)
        work_replays()
        text = browser.get(page).content.decode()
        assert "1 of 1 planned" in text
        listed = browser.get(
            reverse("admin:delivery_delivery_changelist"), {"replay": str(replay.pk)}
        )
        assert [row.replay_id for row in listed.context["cl"].result_list] == [replay.pk]

    def test_says_in_which_time_zone_it_asks(self, log_in: LogIn) -> None:
        browser = log_in(account=AccountFactory(time_zone="America/Los_Angeles"))
        assert "America/Los Angeles" in browser.get(reverse(self.NEW)).content.decode()

    def test_tells_that_too_many_are_at_work(
        self, account: Account, webhook: Webhook, log_in: LogIn
    ) -> None:
        failed(webhook)
        for _ in range(MOST_AT_WORK):
            started(account)
        browser = log_in(account=account, role=Role.MEMBER)
        page = browser.post(reverse(self.NEW), self.answers(start="1"))
        assert page.status_code == 200
        assert "5 replays are at work" in page.content.decode()
        assert Replay.objects.count() == MOST_AT_WORK

    def test_begins_with_the_filter_of_the_list(
        self, account: Account, webhook: Webhook, log_in: LogIn
    ) -> None:
        form = (
            log_in(account=account, role=Role.MEMBER)
            .get(
                reverse(self.NEW),
                {
                    "webhook__id__exact": str(webhook.pk),
                    "state__exact": "failed",
                    "created_at__gte": "2026-03-01 00:00:00+00:00",
                    "created_at__lt": "nonsense",
                },
            )
            .context["form"]
        )
        assert form["webhook"].value() == str(webhook.pk)
        assert form["states"].value() == ["failed"]
        assert form["since"].initial == dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
        assert form["until"].initial > hours_ago(1)

    @pytest.mark.parametrize("since", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
    def test_begins_with_no_time_that_can_not_be_told(
        self, account: Account, log_in: LogIn, since: str
    ) -> None:
        Account.objects.update(time_zone="Asia/Tokyo" if since[0] == "9" else "America/New_York")
        page = log_in(account=account, role=Role.MEMBER).get(reverse(self.NEW), {"since": since})
        assert page.status_code == 200
        assert page.context["form"]["since"].initial < hours_ago(23)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"since": "x"},
            {"states": ["pending"]},
            {"rate_per_s": "0"},
            {"version": "x"},
            {"webhook": "x"},
            {"until": "2020-01-01T00:00"},
            {"since": "0001-01-01T00:00"},
        ],
        ids=str,
    )
    def test_a_wrong_answer_is_told(
        self, account: Account, log_in: LogIn, wrong: dict[str, Any]
    ) -> None:
        page = log_in(account=account, role=Role.MEMBER).post(
            reverse(self.NEW), self.answers(start="1", **wrong)
        )
        assert page.status_code == 200
        assert page.context["form"].errors
        assert not Replay.objects.exists()

    def test_takes_no_webhook_of_another_account(self, account: Account, log_in: LogIn) -> None:
        theirs = failed(WebhookFactory()).webhook
        page = log_in(account=account, role=Role.MEMBER).post(
            reverse(self.NEW), self.answers(start="1", webhook=str(theirs.pk))
        )
        assert "webhook" in page.context["form"].errors

    def test_asks_for_the_account_where_there_are_several(self, log_in: LogIn) -> None:
        agency = AccountFactory(kind="agency")
        client = AccountFactory(parent=agency)
        failed(WebhookFactory(account=client))
        browser = log_in(account=agency, role=Role.MEMBER)
        browser.post(reverse(self.NEW), self.answers(start="1", account=str(agency.pk)))
        assert not Replay.objects.exists()
        browser.post(reverse(self.NEW), self.answers(start="1", account=str(client.pk)))
        assert Replay.objects.get().account == client

    def test_viewers_start_and_cancel_nothing(self, account: Account, log_in: LogIn) -> None:
        replay = started(account)
        browser = log_in(account=account, role=Role.VIEWER)
        assert browser.post(reverse(self.NEW), self.answers(start="1")).status_code == 403
        cancel = reverse("admin:delivery_replay_cancel", args=[replay.pk])
        assert browser.post(cancel).status_code == 403
        replay.refresh_from_db()
        assert replay.state == "running"

    def test_is_cancelled_after_asking(self, account: Account, log_in: LogIn) -> None:
        replay = started(account)
        cancel = reverse("admin:delivery_replay_cancel", args=[replay.pk])
        browser = log_in(account=account, role=Role.MEMBER)
        browser.get(cancel)
        replay.refresh_from_db()
        assert replay.state == "running"
        browser.post(cancel)
        replay.refresh_from_db()
        assert replay.state == "cancelled"

    @pytest.mark.parametrize(
        ("seconds", "words"),
        [
            (0, "1 second"),
            (31.2, "32 seconds"),
            (90, "2 minutes"),
            (5401, "2 hours"),
            (200_000, "3 days"),
        ],
    )
    def test_says_how_long_it_takes(self, seconds: float, words: str) -> None:
        assert in_words(seconds) == words
