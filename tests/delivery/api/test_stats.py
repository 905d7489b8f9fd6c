"""What the API tells of how a webhook has been doing."""

import datetime as dt

import pytest
from django.utils import timezone

from apps.accounts.models import Scope
from apps.delivery.models import EndpointHealth
from tests.api_client import Api, api_for, good
from tests.builders import World, make_webhook
from tests.factories import AttemptFactory, DeliveryFactory

pytestmark = pytest.mark.django_db


class TestStats:
    @pytest.fixture
    def api(self, world: World) -> Api:
        return api_for(world.account, Scope.READ)

    def test_tell_what_the_page_of_a_webhook_tells(self, api: Api, world: World) -> None:
        webhook = make_webhook(world, "https://crm.example.com/")
        soon = timezone.now() + dt.timedelta(minutes=1)
        for state, milliseconds in (("succeeded", 10), ("succeeded", 20), ("failed", 30)):
            delivery = DeliveryFactory(account=world.account, webhook=webhook, state=state)
            AttemptFactory(delivery=delivery, total_ms=milliseconds)
        DeliveryFactory(
            account=world.account, webhook=webhook, state="pending", next_attempt_at=soon
        )

        stats = good(api.get(f"/webhooks/{webhook.public_id}/stats"))

        assert stats["last_day"]["success_percent"] == pytest.approx(66.7, abs=0.1)
        assert stats["last_day"]["p50_ms"] == 20
        assert stats["backlog"] == 1
        assert dt.datetime.fromisoformat(stats["next_try_at"]) == soon
        assert stats["breaker"] == "closed"

    @pytest.mark.parametrize(("minutes", "position"), [(1, "open"), (-1, "half_open")])
    def test_tell_where_the_breaker_stands(
        self, api: Api, world: World, minutes: int, position: str
    ) -> None:
        webhook = make_webhook(world, "https://crm.example.com/")
        probe_at = timezone.now() + dt.timedelta(minutes=minutes)
        EndpointHealth.objects.update(probe_at=probe_at)

        stats = good(api.get(f"/webhooks/{webhook.public_id}/stats"))

        assert stats["breaker"] == position
        assert stats["last_day"]["success_percent"] is None
