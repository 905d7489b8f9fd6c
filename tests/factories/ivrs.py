"""IVRs and their exchanges."""

import uuid

import factory

from apps.ivr.models import (
    DecidedBy,
    Ivr,
    IvrExchange,
    IvrHook,
    IvrParameter,
    IvrQuestion,
)
from tests.factories.accounts import AccountFactory, LocationFactory
from tests.factories.relations import account_of, same_account


class IvrFactory(factory.django.DjangoModelFactory[Ivr]):
    """An IVR without a web hook: `IvrHookFactory` makes both."""

    class Meta:
        model = Ivr

    account = factory.SubFactory(AccountFactory)
    location = factory.SubFactory(LocationFactory, account=same_account())
    number = factory.Sequence(lambda n: 100 + n)
    name = factory.Sequence(lambda n: f"IVR {n}")


class IvrQuestionFactory(factory.django.DjangoModelFactory[IvrQuestion]):
    class Meta:
        model = IvrQuestion

    ivr = factory.SubFactory(IvrFactory)
    account = account_of("ivr")
    number = factory.LazyAttribute(lambda made: made.ivr.questions.count() + 1)
    prompt = "Press 1 for your balance."


class IvrHookFactory(factory.django.DjangoModelFactory[IvrHook]):
    class Meta:
        model = IvrHook

    ivr = factory.SubFactory(IvrFactory)
    account = account_of("ivr")
    is_active = True
    target_url = "https://93.184.216.34/ivr"


class IvrParameterFactory(factory.django.DjangoModelFactory[IvrParameter]):
    class Meta:
        model = IvrParameter

    hook = factory.SubFactory(IvrHookFactory)
    account = account_of("hook")
    name = factory.Sequence(lambda n: f"parameter{n}")
    token = "ani"


class IvrExchangeFactory(factory.django.DjangoModelFactory[IvrExchange]):
    class Meta:
        model = IvrExchange

    ivr = factory.SubFactory(IvrFactory)
    account = account_of("ivr")
    call_external_id = factory.LazyFunction(lambda: str(uuid.uuid4()))
    response_id = factory.LazyFunction(lambda: str(uuid.uuid4()))
    decided_by = DecidedBy.TARGET
    reply = factory.LazyFunction(lambda: {"message": "Hello", "action": None, "ivr": None})
    target_ms = 12.5
    total_ms = 20.0
