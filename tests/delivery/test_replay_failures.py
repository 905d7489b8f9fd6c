"""Replays that fail: tried again with growing pauses, then given up, and taken up again."""

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Account
from apps.common.access import Role
from apps.common.models import AuditEntry
from apps.delivery.models import Replay
from apps.delivery.services import cancel_replay, resume_replay, work_replays
from apps.delivery.services import replay as replay_module
from apps.delivery.services.replay import LONGEST_S, MOST_AT_WORK, PAUSES_S
from apps.webhooks.models import Webhook
from tests.api_client import api_for, good, problem
from tests.conftest import LogIn
from tests.delivery.test_replay import account as account
from tests.delivery.test_replay import failed, let_pass, originals, started
from tests.delivery.test_replay import webhook as webhook
from tests.transactions import database_away

pytestmark = pytest.mark.django_db

MOST_TRIES = len(PAUSES_S) + 1


@pytest.fixture
def broken(account: Account, webhook: Webhook) -> Replay:
    """A replay whose next step can not be worked out, as it never should be."""
    failed(webhook)
    replay = started(account)
    Replay.objects.filter(pk=replay.pk).update(walked_at=timezone.now(), walked_key=None)
    return replay


def mend(replay: Replay) -> None:
    Replay.objects.filter(pk=replay.pk).update(walked_at=None)


def work_until_given_up(replay: Replay) -> int:
    """Let each pause pass at once; return how many tries were made until it ended."""
    for tries in range(1, 50):
        Replay.objects.filter(pk=replay.pk, finished_at=None).update(
            retry_at=timezone.now() - dt.timedelta(seconds=1)
        )
        # A step right after another one has nothing to do yet, and does not fail.
        let_pass(replay, 1)
        work_replays()
        replay.refresh_from_db()
        if replay.finished_at is not None:
            return tries
    raise AssertionError("It was tried for ever.")


class TestAReplayThatFails:
    def test_is_left_alone_for_a_while(
        self, broken: Replay, caplog: pytest.LogCaptureFixture
    ) -> None:
        before = timezone.now()
        for _ in range(3):
            work_replays()

        broken.refresh_from_db()
        assert (broken.state, broken.failure_count, broken.finished_at) == ("running", 1, None)
        assert broken.retry_at is not None
        assert broken.retry_at >= before + dt.timedelta(seconds=PAUSES_S[0])
        assert caplog.text.count("Traceback") == 1

    def test_is_given_up_after_some_tries(
        self, broken: Replay, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert work_until_given_up(broken) == MOST_TRIES

        assert broken.state == "failed"
        assert f"{MOST_TRIES} times" in broken.last_error
        assert "ValueError" in broken.last_error
        assert caplog.text.count("Traceback") == MOST_TRIES
        work_replays()
        assert caplog.text.count("Traceback") == MOST_TRIES

    def test_waits_longer_each_time(self, broken: Replay) -> None:
        pauses = []
        for _ in PAUSES_S:
            Replay.objects.filter(pk=broken.pk).update(retry_at=None)
            before = timezone.now()
            work_replays()
            broken.refresh_from_db()
            assert broken.retry_at is not None
            pauses.append(broken.retry_at - before)

        assert pauses == sorted(pauses)
        assert pauses[-1] >= dt.timedelta(seconds=PAUSES_S[-1])

    def test_is_given_up_too_where_it_ends_the_process(
        self, account: Account, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        failed(webhook)
        replay = started(account)

        def die(*_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(replay_module, "again", die)
        for _ in range(MOST_TRIES):
            Replay.objects.filter(pk=replay.pk).update(retry_at=None)
            with pytest.raises(KeyboardInterrupt):
                work_replays()
        Replay.objects.filter(pk=replay.pk).update(retry_at=None)
        work_replays()

        replay.refresh_from_db()
        assert replay.state == "failed"
        assert replay.last_error

    def test_has_all_its_tries_again_after_a_step(
        self, account: Account, webhook: Webhook, broken: Replay
    ) -> None:
        work_replays()
        mend(broken)
        Replay.objects.filter(pk=broken.pk).update(retry_at=None)

        work_replays()

        broken.refresh_from_db()
        assert (broken.failure_count, broken.retry_at, broken.last_error) == (0, None, "")
        assert broken.state == "done"

    def test_can_be_cancelled_meanwhile(self, broken: Replay) -> None:
        work_replays()
        cancel_replay(replay=broken)

        work_replays()

        broken.refresh_from_db()
        assert broken.state == "cancelled"
        assert broken.finished_at is not None

    def test_writes_nothing_of_its_tries_to_the_audit_log(self, broken: Replay) -> None:
        before = AuditEntry.objects.count()
        work_until_given_up(broken)

        (entry,) = AuditEntry.objects.order_by("pk")[before:]
        assert entry.changes == {"state": ["running", "failed"]}

    def test_by_a_statement_that_takes_too_long_is_one(
        self, account: Account, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        failed(webhook)
        replay = started(account)

        def be_late(*_: Any, **__: Any) -> None:
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = 1")
                cursor.execute("SELECT pg_sleep(60)")

        monkeypatch.setattr(replay_module, "again", be_late)
        work_replays()

        replay.refresh_from_db()
        assert replay.failure_count == 1

    @pytest.mark.django_db(transaction=True)
    def test_is_not_one_that_finds_no_database(self, account: Account, webhook: Webhook) -> None:
        failed(webhook)
        replay = started(account)
        with database_away(), pytest.raises(OperationalError):
            work_replays()

        work_replays()
        replay.refresh_from_db()
        assert (replay.state, replay.failure_count) == ("done", 0)


class TestTheClock:
    def test_is_not_caught_up_with_after_nobody_swept(
        self, account: Account, webhook: Webhook
    ) -> None:
        for _ in range(int(LONGEST_S) + 3):
            failed(webhook)
        replay = started(account, rate_per_s=1)
        let_pass(replay, 24 * 3600)

        work_replays()

        assert len(originals(replay)) == LONGEST_S

    def test_may_be_set_back(self, account: Account, webhook: Webhook) -> None:
        failed(webhook)
        replay = started(account, rate_per_s=1)
        let_pass(replay, -3600)

        work_replays()
        replay.refresh_from_db()
        assert replay.stepped_at <= timezone.now()


class TestResuming:
    def test_goes_on_where_it_was(self, account: Account, webhook: Webhook) -> None:
        first, second = failed(webhook), failed(webhook)
        replay = started(account, rate_per_s=1)
        let_pass(replay, 1.5)
        work_replays()
        Replay.objects.filter(pk=replay.pk).update(state="failed", finished_at=timezone.now())

        resume_replay(replay=replay)
        let_pass(replay, 60)
        work_replays()

        replay.refresh_from_db()
        assert replay.state == "done"
        assert originals(replay) == [first.pk, second.pk]

    def test_gives_all_tries_anew(self, broken: Replay) -> None:
        work_until_given_up(broken)
        resume_replay(replay=broken)

        broken.refresh_from_db()
        assert (broken.state, broken.last_error, broken.finished_at) == ("running", "", None)
        assert work_until_given_up(broken) == MOST_TRIES

    def test_is_for_those_that_failed(self, account: Account) -> None:
        replay = started(account)
        with pytest.raises(ValidationError, match="failed"):
            resume_replay(replay=replay)

    def test_keeps_to_the_most_at_work(self, account: Account, broken: Replay) -> None:
        work_until_given_up(broken)
        for _ in range(MOST_AT_WORK):
            started(account)
        with pytest.raises(ValidationError, match="5 replays are at work"):
            resume_replay(replay=broken)

    def test_is_offered_on_the_page_with_the_reason(
        self, account: Account, broken: Replay, log_in: LogIn
    ) -> None:
        work_until_given_up(broken)
        page = reverse("admin:delivery_replay_change", args=[broken.pk])
        resume = reverse("admin:delivery_replay_resume", args=[broken.pk])
        viewer = log_in(account=account, role=Role.VIEWER)
        assert resume not in viewer.get(page).text
        assert viewer.post(resume).status_code == 403
        browser = log_in(account=account, role=Role.MEMBER)
        shown = browser.get(page).text
        assert broken.last_error in shown
        assert resume in shown

        browser.get(resume)
        broken.refresh_from_db()
        assert broken.state == "failed"
        browser.post(resume)
        broken.refresh_from_db()
        assert broken.state == "running"
        # Twice, as by a double click, says so and does nothing.
        assert "Only a replay that has failed" in browser.post(resume, follow=True).text

    def test_is_offered_by_the_api(self, account: Account, broken: Replay) -> None:
        work_until_given_up(broken)
        api = api_for(account)
        shown = good(api.get(f"/replays/{broken.public_id}"))
        assert (shown["state"], shown["last_error"]) == ("failed", broken.last_error)

        resumed = good(api.post(f"/replays/{broken.public_id}/resume"))
        assert (resumed["state"], resumed["last_error"]) == ("running", "")
        problem(api.post(f"/replays/{broken.public_id}/resume"), 422, "invalid")
