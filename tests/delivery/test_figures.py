"""The figures of a webhook, and that they have bounds."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from apps.delivery import figures
from apps.delivery.figures import figures_of
from apps.delivery.models import DeliveryState
from apps.webhooks.models import Webhook
from tests.factories import AttemptFactory, DeliveryFactory, WebhookFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def webhook() -> Webhook:
    made: Webhook = WebhookFactory()
    return made


def sent(webhook: Webhook, state: str = "succeeded", **fields: Any) -> None:
    delivery = DeliveryFactory(account=webhook.account, webhook=webhook, state=state)
    AttemptFactory(delivery=delivery, **fields)


class TestFigures:
    def test_count_the_last_day(self, webhook: Webhook) -> None:
        for state in ("succeeded", "succeeded", "succeeded", "failed", "pending"):
            sent(webhook, state)
        DeliveryFactory(
            account=webhook.account,
            webhook=webhook,
            created_at=timezone.now() - dt.timedelta(hours=25),
        )
        sent(WebhookFactory())

        found = figures_of(webhook, timezone.now())

        assert (found.deliveries, found.finished, found.succeeded) == (5, 4, 3)
        assert found.success_rate == 75

    def test_tell_how_long_tries_took(self, webhook: Webhook) -> None:
        for milliseconds in range(1, 102):
            sent(webhook, total_ms=milliseconds)
        sent(webhook, total_ms=9_999, error_kind="lost")

        found = figures_of(webhook, timezone.now())

        assert (found.p50_ms, found.p95_ms, found.p99_ms) == (51, 96, 100)

    def test_tell_what_waits_and_when_it_goes(self, webhook: Webhook) -> None:
        soon = timezone.now() + dt.timedelta(minutes=1)
        for at in (soon + dt.timedelta(hours=1), soon):
            DeliveryFactory(
                account=webhook.account, webhook=webhook, state="pending", next_attempt_at=at
            )
        DeliveryFactory(account=webhook.account, webhook=webhook, state=DeliveryState.WAITING)

        found = figures_of(webhook, timezone.now())

        assert (found.waiting, found.next_try_at) == (3, soon)

    def test_tell_of_no_try_while_it_is_off(self, webhook: Webhook) -> None:
        due = timezone.now() - dt.timedelta(minutes=1)
        DeliveryFactory(
            account=webhook.account, webhook=webhook, state="pending", next_attempt_at=due
        )
        assert figures_of(webhook, timezone.now()).next_try_at == due
        webhook.is_active = False
        found = figures_of(webhook, timezone.now())
        assert (found.waiting, found.next_try_at) == (1, None)

    def test_tell_of_the_probe_that_what_is_due_waits_for(self, webhook: Webhook) -> None:
        now = timezone.now()
        later = now + dt.timedelta(hours=1)
        DeliveryFactory(
            account=webhook.account, webhook=webhook, state="pending", next_attempt_at=now
        )
        webhook.health.probe_at = later
        assert figures_of(webhook, now).next_try_at == later

    def test_of_nothing_are_nothing(self, webhook: Webhook) -> None:
        found = figures_of(webhook, timezone.now())
        assert (found.deliveries, found.success_rate, found.p50_ms) == (0, None, None)
        assert (found.waiting, found.next_try_at) == (0, None)

    def test_have_bounds(self, webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(figures, "MOST_COUNTED", 2)
        monkeypatch.setattr(figures, "MOST_WAITING", 2)
        for _ in range(3):
            sent(webhook, "pending")

        found = figures_of(webhook, timezone.now())

        assert (found.deliveries, found.has_more) == (2, True)
        assert (found.waiting, found.waits_more) == (2, True)
