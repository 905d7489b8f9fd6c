"""Replays: what they count, plan and withdraw, and that they come through a crash."""

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from apps.accounts.models import Account
from apps.calls.events import Timing
from apps.delivery.models import Delivery, DeliveryState, EndpointHealth, Replay
from apps.delivery.services import (
    cancel_replay,
    plan_replay,
    resend,
    start_replay,
    work_replays,
)
from apps.delivery.services import replay as replay_module
from apps.delivery.services.replay import MOST_AT_WORK
from apps.webhooks.models import Webhook
from apps.webhooks.services import save_template
from tests.builders import World, attach, make_webhook
from tests.delivery.receiver import Receiver
from tests.delivery.sending import drain, take_calls
from tests.factories import AccountFactory, DeliveryFactory, WebhookFactory

pytestmark = pytest.mark.django_db

FAILED = DeliveryState.FAILED
HOUR = dt.timedelta(hours=1)


def hours_ago(hours: float) -> dt.datetime:
    return timezone.now() - hours * HOUR


@pytest.fixture
def _stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let time pass by `let_pass` alone: a rate plans more on a machine that takes long."""
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)


@pytest.fixture
def account() -> Account:
    return AccountFactory()


@pytest.fixture
def webhook(account: Account) -> Webhook:
    return WebhookFactory(account=account)


def failed(webhook: Webhook, **fields: Any) -> Delivery:
    """A delivery that was planned an hour ago and failed."""
    made: Delivery = DeliveryFactory(
        **{
            "account": webhook.account,
            "webhook": webhook,
            "state": FAILED,
            "created_at": hours_ago(1),
            "finished_at": hours_ago(1),
            **fields,
        }
    )
    return made


def started(account: Account, **asked: Any) -> Replay:
    """A replay of the last day that may plan at once what its rate allows in a minute."""
    plan = plan_replay(
        **{
            "account_id": account.pk,
            "since": hours_ago(24),
            "until": timezone.now(),
            "rate_per_s": 100,
            **asked,
        }
    )
    replay = start_replay(plan=plan)
    let_pass(replay, 60)
    return replay


def let_pass(replay: Replay, seconds: float) -> None:
    """Let so much time have passed since it was worked at."""
    Replay.objects.filter(pk=replay.pk).update(
        stepped_at=timezone.now() - dt.timedelta(seconds=seconds)
    )


def originals(replay: Replay) -> list[Any]:
    return list(replay.deliveries.order_by("pk").values_list("resent_from", flat=True))


class TestAPlan:
    def test_counts_what_matches_and_sends_nothing(self, account: Account) -> None:
        one, two = WebhookFactory(account=account), WebhookFactory(account=account)
        for webhook in (one, one, two):
            failed(webhook)
        failed(one, created_at=hours_ago(25))
        failed(one, state=DeliveryState.SUCCEEDED)
        failed(one, state=DeliveryState.PENDING, finished_at=None)
        failed(WebhookFactory())
        before = Delivery.objects.count()

        plan = plan_replay(
            account_id=account.pk, since=hours_ago(24), until=timezone.now(), rate_per_s=2
        )

        assert (plan.deliveries, plan.webhooks, plan.seconds) == (3, 2, 1.5)
        assert Delivery.objects.count() == before
        assert not Replay.objects.exists()

    def test_knows_the_limits_of_the_webhooks(self, account: Account, webhook: Webhook) -> None:
        for _ in range(4):
            failed(webhook)
        EndpointHealth.objects.filter(webhook=webhook).update(rate_per_s=0.5)

        plan = plan_replay(account_id=account.pk, since=hours_ago(24), until=timezone.now())

        assert plan.seconds == 8.0

    def test_can_be_about_some(self, account: Account, webhook: Webhook) -> None:
        failed(webhook, timing=Timing.BEGIN)
        failed(webhook, timing=Timing.END, state=DeliveryState.SUCCEEDED)
        failed(WebhookFactory(account=account), timing=Timing.END)

        def count(**asked: Any) -> int:
            return plan_replay(
                account_id=account.pk, since=hours_ago(24), until=timezone.now(), **asked
            ).deliveries

        assert count() == 2
        assert count(webhook_ids=[webhook.pk]) == 1
        assert count(states=DeliveryState.finished()) == 3
        assert count(timings=["begin"]) == 1

    def test_leaves_out_what_has_arrived_since_or_is_on_its_way(
        self, account: Account, webhook: Webhook
    ) -> None:
        for state in DeliveryState:
            original = failed(webhook)
            (again,) = resend(deliveries=[original])
            Delivery.objects.filter(pk=again.pk).update(state=state)

        plan = plan_replay(account_id=account.pk, since=hours_ago(24), until=timezone.now())

        assert plan.deliveries == len(DeliveryState.unsuccessful())

    @pytest.mark.parametrize(
        ("asked", "field"),
        [
            ({"since": hours_ago(0), "until": hours_ago(1)}, "until"),
            ({"since": timezone.now() + HOUR, "until": timezone.now() + 2 * HOUR}, "until"),
            # In UTC it would begin before the first year there is.
            (
                {"since": dt.datetime(1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=9)))},
                "since",
            ),
            ({"states": []}, "states"),
            ({"states": ["pending"]}, "states"),
            ({"timings": ["never"]}, "timings"),
            ({"rate_per_s": 0}, "rate_per_s"),
            ({"rate_per_s": 1001}, "rate_per_s"),
        ],
    )
    def test_refuses_what_makes_no_sense(
        self, account: Account, asked: dict[str, Any], field: str
    ) -> None:
        wanted = {"since": hours_ago(24), "until": timezone.now(), **asked}
        with pytest.raises(ValidationError) as refused:
            plan_replay(account_id=account.pk, **wanted)
        assert list(refused.value.error_dict) == [field]

    def test_refuses_too_many(
        self, account: Account, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(replay_module, "MOST", 2)
        for _ in range(3):
            failed(webhook)
        with pytest.raises(ValidationError, match="shorter time"):
            plan_replay(account_id=account.pk, since=hours_ago(24), until=timezone.now())


class TestAReplay:
    def test_plans_each_once_oldest_first_and_is_done(
        self, account: Account, webhook: Webhook
    ) -> None:
        wanted = [failed(webhook, created_at=hours_ago(hours)) for hours in (3, 2, 1)]
        replay = started(account)

        work_replays()
        work_replays()

        replay.refresh_from_db()
        assert originals(replay) == [each.pk for each in wanted]
        assert (replay.state, replay.planned_count) == ("done", 3)
        assert replay.finished_at is not None
        assert {each.state for each in replay.deliveries.all()} == {"pending"}

    @pytest.mark.usefixtures("_stopped_clock")
    def test_goes_no_faster_than_its_rate(self, account: Account, webhook: Webhook) -> None:
        for _ in range(10):
            failed(webhook)
        replay = started(account, rate_per_s=1)
        let_pass(replay, 4.5)

        work_replays()
        work_replays()

        assert len(originals(replay)) == 4
        due = replay.deliveries.order_by("pk").values_list("next_attempt_at", flat=True)
        first, second, *_ = due
        assert second - first == dt.timedelta(seconds=1)

    def test_goes_on_where_it_was(self, account: Account, webhook: Webhook) -> None:
        same_moment = hours_ago(1)
        wanted = {failed(webhook, created_at=same_moment).pk for _ in range(7)}
        replay = started(account, rate_per_s=3)
        for _ in range(4):
            let_pass(replay, 1)
            work_replays()

        replay.refresh_from_db()
        assert set(originals(replay)) == wanted
        assert len(originals(replay)) == 7
        assert replay.state == "done"

    @pytest.mark.django_db(transaction=True)
    def test_that_dies_in_the_middle_of_a_step_plans_none_twice(
        self, account: Account, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wanted = {failed(webhook).pk for _ in range(5)}
        replay = started(account)

        def die(*_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

        save = Replay.save
        monkeypatch.setattr(Replay, "save", die)
        with pytest.raises(KeyboardInterrupt):
            work_replays()
        monkeypatch.setattr(Replay, "save", save)
        assert originals(replay) == []

        work_replays()
        assert set(originals(replay)) == wanted
        assert len(originals(replay)) == 5

    @pytest.mark.parametrize("with_current_version", [True, False])
    def test_uses_the_version_that_was_asked_for(
        self, account: Account, webhook: Webhook, with_current_version: bool
    ) -> None:
        original = failed(webhook)
        newer = save_template(template=webhook.template, sample='{"new": "%ani%"}', by=None)
        replay = started(account, with_current_version=with_current_version)

        work_replays()

        version = replay.deliveries.get().template_version
        assert version == (newer if with_current_version else original.template_version)

    def test_reaches_no_other_account(self, account: Account, webhook: Webhook) -> None:
        theirs = failed(WebhookFactory())
        replay = started(account, webhook_ids=[theirs.webhook_id])
        work_replays()
        assert originals(replay) == []

    @pytest.mark.django_db(transaction=True)
    def test_arrives(self, world: World, receiver: Receiver) -> None:
        attach(make_webhook(world, receiver.url()))
        take_calls(world, 3)
        drain()
        Delivery.objects.update(state=FAILED)
        replay = started(world.account, rate_per_s=1000)
        work_replays()

        drain()

        assert len(receiver.requests) == 6
        assert len({each.id for each in receiver.requests}) == 6
        assert {each.state for each in replay.deliveries.all()} == {"succeeded"}


class TestSeveral:
    def test_of_an_account_are_at_work_at_most(self, account: Account) -> None:
        replays = [started(account) for _ in range(MOST_AT_WORK)]
        with pytest.raises(ValidationError, match="5 replays are at work"):
            started(account)
        started(AccountFactory())

        cancel_replay(replay=replays[0])
        work_replays()
        started(account)

    @pytest.mark.usefixtures("_stopped_clock")
    def test_take_turns_when_there_is_no_time_for_all(self, account: Account) -> None:
        one, two = WebhookFactory(account=account), WebhookFactory(account=account)
        for _ in range(10):
            failed(one)
            failed(two)
        replays = [started(account, webhook_ids=[each.pk], rate_per_s=1) for each in (one, two)]
        for replay, seconds in zip(replays, (4.5, 3.5), strict=True):
            let_pass(replay, seconds)

        def planned() -> list[int]:
            return [replay.deliveries.count() for replay in replays]

        work_replays(turn_s=0)
        assert planned() == [4, 0]
        work_replays(turn_s=0)
        assert planned() == [4, 3]

    @pytest.mark.usefixtures("_stopped_clock")
    def test_take_turns_in_being_withdrawn(self, account: Account) -> None:
        webhook = WebhookFactory(account=account)
        for _ in range(3):
            failed(webhook)
        replays = [started(account, rate_per_s=1) for _ in range(2)]
        for replay, seconds in zip(replays, (3.5, 0), strict=True):
            let_pass(replay, seconds)
        work_replays(turn_s=0)
        held = replays[0].deliveries.all()
        held.update(claim=replays[0].pk, leased_until=timezone.now() + HOUR)
        cancel_replay(replay=replays[0])
        for replay, seconds in zip(replays, (20, 10), strict=True):
            let_pass(replay, seconds)

        work_replays(turn_s=0)
        work_replays(turn_s=0)

        replays[1].refresh_from_db()
        assert replays[1].state == "done"

    def test_are_not_kept_from_it_by_one_that_fails(
        self, account: Account, webhook: Webhook, caplog: pytest.LogCaptureFixture
    ) -> None:
        failed(webhook)
        broken, well = started(account), started(account)
        let_pass(broken, 90)
        Replay.objects.filter(pk=broken.pk).update(walked_at=timezone.now(), walked_key=None)

        work_replays()

        assert len(originals(well)) == 1
        assert str(broken.pk) in caplog.text


class TestCancelling:
    @pytest.mark.usefixtures("_stopped_clock")
    def test_withdraws_what_is_not_under_way(self, account: Account, webhook: Webhook) -> None:
        for _ in range(4):
            failed(webhook)
        replay = started(account, rate_per_s=1)
        let_pass(replay, 3.5)
        work_replays()
        sent, held, _ = replay.deliveries.order_by("pk")
        Delivery.objects.filter(pk=sent.pk).update(state="succeeded")
        Delivery.objects.filter(pk=held.pk).update(
            claim=replay.pk, leased_until=timezone.now() + HOUR
        )

        cancel_replay(replay=replay)
        work_replays()

        states = list(replay.deliveries.order_by("pk").values_list("state", flat=True))
        assert states == ["succeeded", "pending", "expired"]
        replay.refresh_from_db()
        assert (replay.state, replay.finished_at) == ("cancelled", None)

        Delivery.objects.filter(pk=held.pk).update(state="succeeded", claim=None)
        work_replays()
        replay.refresh_from_db()
        assert replay.finished_at is not None
        assert replay.planned_count == 3

    def test_comes_too_late_for_one_that_is_done(self, account: Account) -> None:
        replay = started(account)
        work_replays()
        cancel_replay(replay=replay)
        replay.refresh_from_db()
        assert replay.state == "done"
