"""What phone platforms post to."""

import factory

from apps.intake.models import Callback, Source
from tests.factories.accounts import AccountFactory
from tests.factories.relations import account_of


class SourceFactory(factory.django.DjangoModelFactory[Source]):
    """A Twilio account, or with `kind` any other platform."""

    class Meta:
        model = Source

    account = factory.SubFactory(AccountFactory)
    name = factory.Sequence(lambda n: f"Source {n}")
    kind = "twilio"
    auth_token = factory.Sequence(lambda n: f"auth-token-{n}")


class CallbackFactory(factory.django.DjangoModelFactory[Callback]):
    class Meta:
        model = Callback

    source = factory.SubFactory(SourceFactory)
    account = account_of("source")
    digest = factory.Sequence(lambda n: f"{n:064}")
    about = "Call completed"
    outcome = "taken"
