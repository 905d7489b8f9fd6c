"""Calls, and what is sent of them."""

import datetime as dt
import uuid

import factory
from django.utils import timezone

from apps.calls.events import CallStatus, EventType, Timing
from apps.calls.models import Call, CallEvent
from apps.delivery.models import Alert, Attempt, CallerTurn, Delivery, DeliveryState, Replay
from tests.factories.accounts import AccountFactory, LocationFactory
from tests.factories.relations import account_of, same_account
from tests.factories.webhooks import WebhookFactory


class CallFactory(factory.django.DjangoModelFactory[Call]):
    class Meta:
        model = Call

    account = factory.SubFactory(AccountFactory)
    location = factory.SubFactory(LocationFactory, account=same_account())
    external_id = factory.LazyFunction(lambda: str(uuid.uuid4()))
    caller = factory.Sequence(lambda n: f"+1777{n:07}")
    tracking_number = factory.Sequence(lambda n: f"+1888{n:07}")
    status = CallStatus.ANSWERED
    started_at = factory.LazyFunction(timezone.now)
    duration_s = 36


class CallEventFactory(factory.django.DjangoModelFactory[CallEvent]):
    class Meta:
        model = CallEvent

    call = factory.SubFactory(CallFactory)
    account = account_of("call")
    external_id = factory.LazyFunction(lambda: str(uuid.uuid4()))
    type = EventType.ENDED
    occurred_at = factory.LazyFunction(timezone.now)
    facts = factory.LazyFunction(lambda: {"status": "answered"})
    snapshot = factory.LazyFunction(dict)


class DeliveryFactory(factory.django.DjangoModelFactory[Delivery]):
    class Meta:
        model = Delivery

    account = factory.SubFactory(AccountFactory)
    webhook = factory.SubFactory(WebhookFactory, account=same_account())
    template_version = factory.SelfAttribute("webhook.template.current_version")
    call = factory.SubFactory(CallFactory, account=same_account())
    event = factory.SubFactory(CallEventFactory, call=factory.SelfAttribute("..call"))
    timing = Timing.END
    state = DeliveryState.SUCCEEDED


class ReplayFactory(factory.django.DjangoModelFactory[Replay]):
    class Meta:
        model = Replay

    account = factory.SubFactory(AccountFactory)
    since = factory.LazyFunction(lambda: timezone.now() - dt.timedelta(hours=1))
    until = factory.LazyFunction(timezone.now)
    states = factory.LazyFunction(lambda: [DeliveryState.FAILED.value])
    total = 0


class AlertFactory(factory.django.DjangoModelFactory[Alert]):
    class Meta:
        model = Alert

    webhook = factory.SubFactory(WebhookFactory)
    account = account_of("webhook")
    rung = "failing"
    failing_since = factory.LazyFunction(timezone.now)


class AttemptFactory(factory.django.DjangoModelFactory[Attempt]):
    class Meta:
        model = Attempt

    delivery = factory.SubFactory(DeliveryFactory)
    account = account_of("delivery")
    number = 1
    started_at = factory.LazyFunction(timezone.now)
    method = "POST"
    url = "https://93.184.216.34/hooks/1"
    request_headers = factory.LazyFunction(lambda: {"content-type": "application/json"})
    request_body = '{"phone":"7776734736"}'
    response_status = 200
    response_headers = factory.LazyFunction(lambda: [["Content-Type", "text/plain"]])
    response_body = "ok"
    total_ms = 12.5
    worker = "test"


class CallerTurnFactory(factory.django.DjangoModelFactory[CallerTurn]):
    class Meta:
        model = CallerTurn

    account = factory.SubFactory(AccountFactory)
    attachment_key = factory.LazyFunction(uuid.uuid4)
    delivery_key = factory.LazyFunction(uuid.uuid4)
    caller = factory.Sequence(lambda n: f"+1999{n:07}")
    taken_at = factory.LazyFunction(timezone.now)
    until = factory.LazyFunction(timezone.now)
