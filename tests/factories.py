"""Rows for tests: one factory a model. What belongs together belongs to one account."""

import datetime as dt
import uuid
from typing import Any

import factory
from django.utils import timezone

from apps.accounts.models import (
    Account,
    AccountKind,
    ApiKey,
    Group,
    Location,
    Membership,
    Scope,
    User,
)
from apps.calls.events import CallStatus, EventType, Timing
from apps.calls.models import Call, CallEvent
from apps.campaigns.models import (
    Attachment,
    Campaign,
    Import,
    TrackingNumber,
    Treatment,
    TreatmentOption,
)
from apps.common.access import Role
from apps.common.models import AuditAction, AuditEntry, StoredAnswer
from apps.delivery.models import Alert, Attempt, CallerTurn, Delivery, DeliveryState, Replay
from apps.faces.models import CallComplete, CallNotification, PostCallAction
from apps.intake.models import Callback, Source
from apps.ivr.models import (
    DecidedBy,
    Ivr,
    IvrExchange,
    IvrHook,
    IvrParameter,
    IvrQuestion,
)
from apps.webhooks.models import (
    RetiredSecret,
    Template,
    TemplateVersion,
    Webhook,
    WebhookDraft,
    WebhookHeader,
)
from apps.webhooks.secrets import new_signing_secret

PASSWORD = "correct-horse-battery"
SAMPLE = '{"phone": "%ani%", "name": "%ani_full_name%"}'


def _account_of(attribute: str) -> Any:
    """Take the account of a row that this one belongs to."""
    return factory.SelfAttribute(f"{attribute}.account")


def _same_account() -> Any:
    """Give a related row the account of the row that is being made."""
    return factory.SelfAttribute("..account")


class UserFactory(factory.django.DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@example.com")
    full_name = factory.Sequence(lambda n: f"Person {n}")
    password = factory.django.Password(PASSWORD)


class OperatorFactory(UserFactory):
    is_superuser = True


class AccountFactory(factory.django.DjangoModelFactory[Account]):
    class Meta:
        model = Account

    name = factory.Sequence(lambda n: f"Account {n}")


class AgencyFactory(AccountFactory):
    kind = AccountKind.AGENCY


class MembershipFactory(factory.django.DjangoModelFactory[Membership]):
    class Meta:
        model = Membership

    account = factory.SubFactory(AccountFactory)
    user = factory.SubFactory(UserFactory)
    role = Role.ADMIN


class ApiKeyFactory(factory.django.DjangoModelFactory[ApiKey]):
    """Its token is on the row as `token`."""

    class Meta:
        model = ApiKey

    account = factory.SubFactory(AccountFactory)
    name = factory.Sequence(lambda n: f"Key {n}")
    scopes = factory.LazyFunction(lambda: list(Scope))

    @classmethod
    def _create(cls, model_class: type[ApiKey], *args: Any, **kwargs: Any) -> ApiKey:
        key = model_class(*args, **kwargs)
        key.token = key.issue_token()  # type: ignore[attr-defined]
        key.save()
        return key


class AuditEntryFactory(factory.django.DjangoModelFactory[AuditEntry]):
    class Meta:
        model = AuditEntry

    account = factory.SubFactory(AccountFactory)
    action = AuditAction.NOTED
    actor_kind = "system"
    actor_label = "Hookline"


class StoredAnswerFactory(factory.django.DjangoModelFactory[StoredAnswer]):
    class Meta:
        model = StoredAnswer

    account = factory.SubFactory(AccountFactory)
    sender = factory.LazyFunction(uuid.uuid4)
    key = factory.Sequence(lambda n: f"key-{n}")
    digest = "0" * 64
    status = 201
    headers = factory.LazyFunction(dict)
    body = "{}"


class GroupFactory(factory.django.DjangoModelFactory[Group]):
    class Meta:
        model = Group

    account = factory.SubFactory(AccountFactory)
    name = factory.Sequence(lambda n: f"Group {n}")


class LocationFactory(factory.django.DjangoModelFactory[Location]):
    class Meta:
        model = Location

    account = factory.SubFactory(AccountFactory)
    name = factory.Sequence(lambda n: f"Location {n}")
    city = "Los Angeles"


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
    account = _account_of("template")
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
    location = factory.SubFactory(LocationFactory, account=_same_account())
    template = factory.SubFactory(TemplateFactory, account=_same_account())
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
    account = _account_of("webhook")
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
    account = _account_of("webhook")
    secret = factory.LazyFunction(new_signing_secret)
    signs_until = factory.LazyFunction(timezone.now)


class CampaignFactory(factory.django.DjangoModelFactory[Campaign]):
    class Meta:
        model = Campaign

    account = factory.SubFactory(AccountFactory)
    location = factory.SubFactory(LocationFactory, account=_same_account())
    name = factory.Sequence(lambda n: f"Campaign {n}")


class TreatmentFactory(factory.django.DjangoModelFactory[Treatment]):
    class Meta:
        model = Treatment

    account = factory.SubFactory(AccountFactory)
    location = factory.SubFactory(LocationFactory, account=_same_account())
    name = factory.Sequence(lambda n: f"Treatment {n}")


class TreatmentOptionFactory(factory.django.DjangoModelFactory[TreatmentOption]):
    class Meta:
        model = TreatmentOption

    treatment = factory.SubFactory(TreatmentFactory)
    account = _account_of("treatment")
    key = factory.Sequence(lambda n: str(n))
    label = factory.Sequence(lambda n: f"Option {n}")


class TrackingNumberFactory(factory.django.DjangoModelFactory[TrackingNumber]):
    class Meta:
        model = TrackingNumber

    account = factory.SubFactory(AccountFactory)
    location = factory.SubFactory(LocationFactory, account=_same_account())
    number = factory.Sequence(lambda n: f"+1555{n:07}")


class AttachmentFactory(factory.django.DjangoModelFactory[Attachment]):
    """A webhook on its location, at the end of calls."""

    class Meta:
        model = Attachment

    webhook = factory.SubFactory(WebhookFactory)
    account = _account_of("webhook")
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


class CallFactory(factory.django.DjangoModelFactory[Call]):
    class Meta:
        model = Call

    account = factory.SubFactory(AccountFactory)
    location = factory.SubFactory(LocationFactory, account=_same_account())
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
    account = _account_of("call")
    external_id = factory.LazyFunction(lambda: str(uuid.uuid4()))
    type = EventType.ENDED
    occurred_at = factory.LazyFunction(timezone.now)
    facts = factory.LazyFunction(lambda: {"status": "answered"})
    snapshot = factory.LazyFunction(dict)


class DeliveryFactory(factory.django.DjangoModelFactory[Delivery]):
    class Meta:
        model = Delivery

    account = factory.SubFactory(AccountFactory)
    webhook = factory.SubFactory(WebhookFactory, account=_same_account())
    template_version = factory.SelfAttribute("webhook.template.current_version")
    call = factory.SubFactory(CallFactory, account=_same_account())
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
    account = _account_of("webhook")
    rung = "failing"
    failing_since = factory.LazyFunction(timezone.now)


class AttemptFactory(factory.django.DjangoModelFactory[Attempt]):
    class Meta:
        model = Attempt

    delivery = factory.SubFactory(DeliveryFactory)
    account = _account_of("delivery")
    number = 1
    started_at = factory.LazyFunction(timezone.now)
    method = "POST"
    url = "https://93.184.216.34/hooks/1"
    request_headers = factory.LazyFunction(lambda: {"content-type": "application/json"})
    request_body = '{"phone":"7776734736"}'
    response_status = 200
    response_body = "ok"
    total_ms = 12.5
    worker = "test"


class IvrFactory(factory.django.DjangoModelFactory[Ivr]):
    """An IVR without a web hook: `IvrHookFactory` makes both."""

    class Meta:
        model = Ivr

    account = factory.SubFactory(AccountFactory)
    location = factory.SubFactory(LocationFactory, account=_same_account())
    number = factory.Sequence(lambda n: 100 + n)
    name = factory.Sequence(lambda n: f"IVR {n}")


class IvrQuestionFactory(factory.django.DjangoModelFactory[IvrQuestion]):
    class Meta:
        model = IvrQuestion

    ivr = factory.SubFactory(IvrFactory)
    account = _account_of("ivr")
    number = factory.LazyAttribute(lambda made: made.ivr.questions.count() + 1)
    prompt = "Press 1 for your balance."


class IvrHookFactory(factory.django.DjangoModelFactory[IvrHook]):
    class Meta:
        model = IvrHook

    ivr = factory.SubFactory(IvrFactory)
    account = _account_of("ivr")
    is_active = True
    target_url = "https://93.184.216.34/ivr"


class IvrParameterFactory(factory.django.DjangoModelFactory[IvrParameter]):
    class Meta:
        model = IvrParameter

    hook = factory.SubFactory(IvrHookFactory)
    account = _account_of("hook")
    name = factory.Sequence(lambda n: f"parameter{n}")
    token = "ani"


class IvrExchangeFactory(factory.django.DjangoModelFactory[IvrExchange]):
    class Meta:
        model = IvrExchange

    ivr = factory.SubFactory(IvrFactory)
    account = _account_of("ivr")
    call_external_id = factory.LazyFunction(lambda: str(uuid.uuid4()))
    response_id = factory.LazyFunction(lambda: str(uuid.uuid4()))
    decided_by = DecidedBy.TARGET
    reply = factory.LazyFunction(lambda: {"message": "Hello", "action": None, "ivr": None})
    target_ms = 12.5
    total_ms = 20.0


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
    account = _account_of("source")
    digest = factory.Sequence(lambda n: f"{n:064}")
    about = "Call completed"
    outcome = "taken"


class CallerTurnFactory(factory.django.DjangoModelFactory[CallerTurn]):
    class Meta:
        model = CallerTurn

    account = factory.SubFactory(AccountFactory)
    attachment_key = factory.LazyFunction(uuid.uuid4)
    delivery_key = factory.LazyFunction(uuid.uuid4)
    caller = factory.Sequence(lambda n: f"+1999{n:07}")
    taken_at = factory.LazyFunction(timezone.now)
    until = factory.LazyFunction(timezone.now)
