"""Where callers come from, and which webhooks tell of it."""

import factory

from apps.calls.events import Timing
from apps.campaigns.models import (
    Attachment,
    Campaign,
    Import,
    TrackingNumber,
    Treatment,
    TreatmentOption,
)
from tests.factories.accounts import AccountFactory, LocationFactory
from tests.factories.relations import account_of, same_account
from tests.factories.webhooks import WebhookFactory


class CampaignFactory(factory.django.DjangoModelFactory[Campaign]):
    class Meta:
        model = Campaign

    account = factory.SubFactory(AccountFactory)
    location = factory.SubFactory(LocationFactory, account=same_account())
    name = factory.Sequence(lambda n: f"Campaign {n}")


class TreatmentFactory(factory.django.DjangoModelFactory[Treatment]):
    class Meta:
        model = Treatment

    account = factory.SubFactory(AccountFactory)
    location = factory.SubFactory(LocationFactory, account=same_account())
    name = factory.Sequence(lambda n: f"Treatment {n}")


class TreatmentOptionFactory(factory.django.DjangoModelFactory[TreatmentOption]):
    class Meta:
        model = TreatmentOption

    treatment = factory.SubFactory(TreatmentFactory)
    account = account_of("treatment")
    key = factory.Sequence(lambda n: str(n))
    label = factory.Sequence(lambda n: f"Option {n}")


class TrackingNumberFactory(factory.django.DjangoModelFactory[TrackingNumber]):
    class Meta:
        model = TrackingNumber

    account = factory.SubFactory(AccountFactory)
    location = factory.SubFactory(LocationFactory, account=same_account())
    number = factory.Sequence(lambda n: f"+1555{n:07}")


class AttachmentFactory(factory.django.DjangoModelFactory[Attachment]):
    """A webhook on its location, at the end of calls."""

    class Meta:
        model = Attachment

    webhook = factory.SubFactory(WebhookFactory)
    account = account_of("webhook")
    location = factory.SelfAttribute("webhook.location")
    timing = Timing.END


class ImportFactory(factory.django.DjangoModelFactory[Import]):
    """One that is ready."""

    class Meta:
        model = Import

    account = factory.SubFactory(AccountFactory)
    kind = "locations"
    file_name = factory.LazyAttribute(lambda made: f"{made.account.name}.csv")
    content = b"name\nDowntown\n"
    row_total = 1
    state = Import.State.READY
