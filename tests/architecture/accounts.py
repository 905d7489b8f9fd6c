"""Every account-owned model, and a row of each for an account."""

from typing import Any

from django.apps import apps
from factory.django import DjangoModelFactory

from apps.common.models import AccountOwned
from tests import factories
from tests.factories import AccountFactory

Rows = dict[type[AccountOwned], Any]
FACTORIES = {
    factory._meta.model: factory
    for factory in vars(factories).values()
    if isinstance(factory, type)
    and issubclass(factory, DjangoModelFactory)
    and factory._meta.model is not None
    and factory not in (factories.OperatorFactory, factories.AgencyFactory)
}


def account_owned() -> list[type[AccountOwned]]:
    """Return every model whose rows belong to an account."""
    return [model for model in apps.get_models() if issubclass(model, AccountOwned)]


def one_of_each(name: str) -> Rows:
    """Make a row of every account-owned model in one new account; names begin with `name`."""
    account = AccountFactory(name=f"{name} account")
    made: Rows = {}
    webhook = factories.WebhookFactory(
        account=account,
        name=f"{name} webhook",
        location__name=f"{name} location",
        template__name=f"{name} template",
    )
    source = factories.SourceFactory(account=account, name=f"{name} source")
    treatment = factories.TreatmentFactory(
        account=account, location=webhook.location, name=f"{name} treatment"
    )
    delivery = factories.DeliveryFactory(
        account=account,
        webhook=webhook,
        call__location=webhook.location,
        call__caller=f"{name} caller",
    )
    hook = factories.IvrHookFactory(
        account=account,
        ivr__account=account,
        ivr__location=webhook.location,
        ivr__name=f"{name} IVR",
        ivr__transcription_webhook=webhook,
    )
    rows = [
        webhook,
        webhook.health,
        webhook.location,
        webhook.template,
        webhook.template.current_version,
        treatment,
        delivery,
        delivery.call,
        delivery.event,
        factories.AttemptFactory(delivery=delivery, response_body=f"{name} answer"),
        factories.WebhookHeaderFactory(webhook=webhook, value=f"{name} header"),
        factories.RetiredSecretFactory(webhook=webhook),
        factories.MembershipFactory(account=account, user__full_name=f"{name} person"),
        factories.ApiKeyFactory(account=account, name=f"{name} key"),
        factories.GroupFactory(account=account, name=f"{name} group"),
        factories.CampaignFactory(
            account=account, location=webhook.location, name=f"{name} campaign"
        ),
        factories.TreatmentOptionFactory(treatment=treatment, label=f"{name} option"),
        factories.TrackingNumberFactory(
            account=account, location=webhook.location, label=f"{name} number"
        ),
        factories.AttachmentFactory(webhook=webhook),
        factories.AlertFactory(webhook=webhook),
        hook.ivr,
        hook,
        factories.IvrQuestionFactory(ivr=hook.ivr, prompt=f"{name} prompt"),
        factories.IvrParameterFactory(hook=hook, name=f"{name}_parameter"),
        factories.IvrExchangeFactory(ivr=hook.ivr, call_external_id=f"{name} call"),
        source,
        factories.CallbackFactory(source=source, about=f"{name} callback"),
    ]
    for row in rows:
        made[type(row)] = row
    for model in account_owned():
        if model not in made:
            assert model in FACTORIES, f"Write a factory for {model.__name__} in tests/factories/."
            made[model] = FACTORIES[model](account=account)
    return made
