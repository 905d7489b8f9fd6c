"""Templates, webhooks and what belongs to them."""

from typing import Any

import factory
from django.utils import timezone

from apps.faces.models import CallComplete, CallNotification, PostCallAction
from apps.webhooks.models import (
    RetiredSecret,
    Template,
    TemplateVersion,
    Webhook,
    WebhookDraft,
    WebhookHeader,
)
from apps.webhooks.secrets import new_signing_secret
from tests.factories.accounts import AccountFactory, LocationFactory, UserFactory
from tests.factories.relations import account_of, same_account

SAMPLE = '{"phone": "%ani%", "name": "%ani_full_name%"}'


class TemplateFactory(factory.django.DjangoModelFactory[Template]):
    """A JSON template with its first version."""

    class Meta:
        model = Template
        skip_postgeneration_save = True

    account = factory.SubFactory(AccountFactory)
    name = factory.Sequence(lambda n: f"Template {n}")
    format = "json"

    @factory.post_generation
    def version(self: Any, create: bool, extracted: Any, **kwargs: Any) -> None:
        """Give it a current version."""
        self.current_version = TemplateVersionFactory(template=self, **kwargs)
        self.save()


class TemplateVersionFactory(factory.django.DjangoModelFactory[TemplateVersion]):
    class Meta:
        model = TemplateVersion

    template = factory.SubFactory(TemplateFactory)
    account = account_of("template")
    number = factory.LazyAttribute(lambda made: made.template.versions.count() + 1)
    sample = SAMPLE
    mapping = factory.LazyFunction(
        lambda: [
            {"path": "$.phone", "kind": "token", "token": "ani"},
            {"path": "$.name", "kind": "token", "token": "ani_full_name"},
        ]
    )


class WebhookFactory(factory.django.DjangoModelFactory[Webhook]):
    class Meta:
        model = Webhook

    account = factory.SubFactory(AccountFactory)
    location = factory.SubFactory(LocationFactory, account=same_account())
    template = factory.SubFactory(TemplateFactory, account=same_account())
    name = factory.Sequence(lambda n: f"Webhook {n}")
    url = factory.Sequence(lambda n: f"https://93.184.216.34/hooks/{n}")
    secret = factory.LazyFunction(new_signing_secret)


class PostCallActionFactory(WebhookFactory):
    class Meta:
        model = PostCallAction

    face = PostCallAction.FACE


class CallCompleteFactory(WebhookFactory):
    class Meta:
        model = CallComplete

    face = CallComplete.FACE


class CallNotificationFactory(WebhookFactory):
    class Meta:
        model = CallNotification

    face = CallNotification.FACE


class WebhookHeaderFactory(factory.django.DjangoModelFactory[WebhookHeader]):
    class Meta:
        model = WebhookHeader

    webhook = factory.SubFactory(WebhookFactory)
    account = account_of("webhook")
    name = "X-Api-Key"
    value = factory.Sequence(lambda n: f"header-secret-{n}")


class WebhookDraftFactory(factory.django.DjangoModelFactory[WebhookDraft]):
    class Meta:
        model = WebhookDraft

    account = factory.SubFactory(AccountFactory)
    user = factory.SubFactory(UserFactory)
    answers = factory.LazyFunction(lambda: {"name": "A draft"})
    secret = factory.LazyFunction(new_signing_secret)


class RetiredSecretFactory(factory.django.DjangoModelFactory[RetiredSecret]):
    class Meta:
        model = RetiredSecret

    webhook = factory.SubFactory(WebhookFactory)
    account = account_of("webhook")
    secret = factory.LazyFunction(new_signing_secret)
    signs_until = factory.LazyFunction(timezone.now)
