"""Templates, and the webhooks that send them."""

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from apps.accounts.models import Account, Group, Location, User
from apps.common.fields import EncryptedTextField, readable
from apps.common.models import AccountOwned
from apps.common.tenancy import system_scope
from apps.webhooks.formats import Format
from apps.webhooks.headers import InvalidHeader, check_header, is_secret_header
from apps.webhooks.mapping import from_plain
from apps.webhooks.rendering import CompiledTemplate, compile_template
from apps.webhooks.schedules import DEFAULT_SUCCESS_CODES, MAX_RETRIES
from apps.webhooks.secrets import InvalidSecret, parse_secret

DEFAULT_CONCURRENCY = 16


def default_success_codes() -> list[int]:
    """Return the response codes that count as delivered unless an admin says otherwise."""
    return list(DEFAULT_SUCCESS_CODES)


class TemplateFormat(models.TextChoices):
    """How a payload is written."""

    JSON = "json", "JSON"
    XML = "xml", "XML"
    FORM = "form", "Form body"
    QUERY = "query", "URL query"


class Template(AccountOwned):
    """The shape of a payload. Each change is a new version; webhooks send the current one."""

    ID_PREFIX = "tpl"

    name = models.CharField(max_length=120)
    format = models.CharField("type", max_length=8, choices=TemplateFormat)
    group = models.ForeignKey(
        Group,
        # Without its group, a template would be the whole account's.
        models.PROTECT,
        null=True,
        blank=True,
        related_name="templates",
        help_text="Only locations of this group may use it; empty: the whole account.",
    )
    is_shared_with_clients = models.BooleanField(
        "shared with client accounts",
        default=False,
        help_text="Agencies: all client accounts may use it.",
    )
    current_version = models.ForeignKey(
        "TemplateVersion", models.RESTRICT, null=True, editable=False, related_name="+"
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "name"], name="template_name_once_an_account"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse to take a template back that a client account sends."""
        super().clean()
        if self._state.adding or self.is_shared_with_clients:
            return
        # Accounts that are off are out of reach, and come back.
        with system_scope():
            users = Account.objects.filter(
                pk__in=self.webhooks.exclude(account_id=self.account_id).values("account_id")
            )
            names = ", ".join(map(str, users[:3]))
        if names:
            raise ValidationError(
                {
                    "is_shared_with_clients": f"It is sent by {names}: it stays shared until no"
                    " webhook of a client account uses it."
                }
            )

    def current(self) -> "TemplateVersion":
        """Return the current version. Raises ValidationError where there is none."""
        if self.current_version is None:
            raise ValidationError("The template has no version.")
        return self.current_version

    def compiled(self) -> CompiledTemplate:
        """Return the current version, ready to render. Raises as `current`."""
        version = self.current()
        return compile_template(
            format=Format(self.format), sample=version.sample, mapping=from_plain(version.mapping)
        )


class TemplateVersion(AccountOwned):
    """One immutable state of a template: a sample, and what fills each of its fields.

    `mapping` is the JSON form of `apps.webhooks.mapping`.
    """

    ID_PREFIX = "tpv"

    template = models.ForeignKey(Template, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    sample = models.TextField()
    mapping = models.JSONField()
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["template", "number"], name="version_number_once_a_template"
            )
        ]

    def __str__(self) -> str:
        return f"{self.template} v{self.number}"


# Attachments that the screen of its system made: where the webhook was when it was last saved.
MADE_BY_SCREEN = models.Q(campaign=None, treatment=None, option=None) & (
    models.Q(location=models.F("webhook__location"))
    | models.Q(location=None, webhook__location=None)
)


class Webhook(AccountOwned):
    """A URL of a receiver with all that it takes to call it."""

    ID_PREFIX = "wh"

    class Method(models.TextChoices):
        """How the payload is sent."""

        POST = "POST", "POST"
        PUT = "PUT", "PUT"
        PATCH = "PATCH", "PATCH"
        GET = "GET", "GET"
        DELETE = "DELETE", "DELETE"

    class Signature(models.TextChoices):
        """How a receiver knows that a request is ours."""

        STANDARD = "standard", "Standard Webhooks"
        HEX = "hex", "sha256= in a header"
        HEX_UPPER = "hexupper", "sha256= in a header, in capitals"
        NONE = "none", "Not at all"

    class Face(models.TextChoices):
        """The system of which a webhook is made on a screen of its own; "" is none."""

        POST_CALL = "post_call", "Post-call action"
        CALL_COMPLETE = "call_complete", "Call.Complete"
        NOTIFICATIONS = "notifications", "Call notifications"

    class RateUnit(models.TextChoices):
        """What a limit is about."""

        SECOND = "second", "second"
        MINUTE = "minute", "minute"

    # Signed by `sha256=` and the body alone.
    HEX_SIGNATURES = (Signature.HEX, Signature.HEX_UPPER)

    name = models.CharField("webhook name", max_length=120)
    location = models.ForeignKey(
        Location,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="webhooks",
        help_text="Empty: any location of the account may use it.",
    )
    url = models.CharField("URL", max_length=2048, help_text="Where it is sent.")
    template = models.ForeignKey(Template, models.PROTECT, related_name="webhooks")
    method = models.CharField("HTTP method", max_length=8, choices=Method, default=Method.POST)
    success_codes = ArrayField(
        models.PositiveSmallIntegerField(
            validators=[MinValueValidator(100), MaxValueValidator(599)]
        ),
        default=default_success_codes,
        size=20,
        verbose_name="success response codes",
        help_text="Any other answer counts as a failure and is tried again.",
    )
    timeout_s = models.PositiveSmallIntegerField(
        "time-out, seconds",
        default=15,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
        help_text="For the whole request, name look-up to last byte: 1 to 60.",
    )
    body_contains = models.CharField(
        "text in the answer",
        max_length=200,
        blank=True,
        help_text="An answer counts as delivered only if its body has this text in it.",
    )
    # None: the usual schedule.
    retry_waits_s = ArrayField(
        models.PositiveIntegerField(), null=True, blank=True, size=MAX_RETRIES, editable=False
    )
    rate_limit = models.PositiveIntegerField(
        "at most so many requests",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100_000)],
        help_text="Empty: no limit. What is over it waits, and no try is spent.",
    )
    rate_unit = models.CharField("in each", max_length=6, choices=RateUnit, default=RateUnit.SECOND)
    concurrency = models.PositiveSmallIntegerField(
        "at the same time",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(64)],
        help_text="At most so many requests under way, from all workers together: 1 to 64."
        " Empty: up to 16 from each worker.",
    )
    signature = models.CharField(
        "signed by",
        max_length=8,
        choices=Signature,
        default=Signature.STANDARD,
        help_text="Choose sha256= only for receivers that know nothing else.",
    )
    signature_header = models.CharField(
        "header of sha256=", max_length=128, blank=True, help_text="As X-Hub-Signature-256."
    )
    key_id_header = models.CharField(
        "header of the key id", max_length=128, blank=True, help_text="Empty: none is sent."
    )
    key_id = models.CharField("key id", max_length=128, blank=True)
    secret = EncryptedTextField(editable=False)
    face = models.CharField(max_length=16, choices=Face, blank=True, editable=False)
    is_active = models.BooleanField(
        "active", default=True, help_text="Off: its deliveries wait until it is on again."
    )
    disabled_reason = models.CharField(max_length=200, blank=True, editable=False)
    # Raised by the database with every change of this row or of its headers, so that workers
    # know when what they keep of it is stale.
    revision = models.BigIntegerField(default=1, editable=False)

    class Meta:
        ordering = ["name"]
        indexes = [models.Index(fields=["account", "name"], name="webhook_of_account")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a template that the webhook's location may not use, and a body on a GET."""
        super().clean()
        self.check_signature()
        self._check_attachments()
        if not self.template_id:
            return
        if self.method == self.Method.GET and self.template.format != TemplateFormat.QUERY:
            raise ValidationError(
                {"method": "GET carries no body: use POST, or a template of the type URL query."}
            )
        if self.template.group_id is None:
            return
        if self.location is None or self.location.group_id != self.template.group_id:
            raise ValidationError(
                {"template": f"This template is for locations of {self.template.group} only."}
            )

    def _check_attachments(self) -> None:
        """Refuse another location while the webhook is attached where it then would not send."""
        if self._state.adding or self.location_id is None:
            return
        here = (
            models.Q(location=self.location_id)
            | models.Q(campaign__location=self.location_id)
            | models.Q(treatment__location=self.location_id)
            | models.Q(option__treatment__location=self.location_id)
        )
        if self.face:
            # The screen of its system takes them along.
            here |= MADE_BY_SCREEN
        if elsewhere := self.attachments.exclude(here).first():
            raise ValidationError(
                {
                    "location": f"It is attached to the {elsewhere.place_label}, where it would"
                    " send nothing any more. Detach it there first."
                }
            )

    def check_signature(self) -> None:
        """Refuse headers that can not be sent, a key id among them, and a secret of another scheme.

        Raises ValidationError by field.
        """
        if self.signature == self.Signature.STANDARD and (secret := readable(self, "secret")):
            try:
                parse_secret(secret)
            except InvalidSecret:
                raise ValidationError(
                    {"signature": "Its secret is for sha256= only; replace the secret first."}
                ) from None
        if self.signature not in self.HEX_SIGNATURES:
            return
        if not self.signature_header:
            raise ValidationError({"signature_header": "Say which header takes the signature."})
        for name in ("signature_header", "key_id_header"):
            if header := getattr(self, name):
                try:
                    check_header(header, self.key_id)
                except InvalidHeader as error:
                    raise ValidationError(
                        {name if error.field == "name" else "key_id": str(error)}
                    ) from None

    def _may_relate_to(self, relation: str, related: AccountOwned) -> bool:
        if isinstance(related, Template) and related.is_shared_with_clients:
            return related.account_id in (self.account_id, self.account.parent_id)
        return super()._may_relate_to(relation, related)


class WebhookHeader(AccountOwned):
    """An HTTP header that a webhook sends along; its value is kept encrypted."""

    ID_PREFIX = "hdr"

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="headers")
    name = models.CharField("HTTP header", max_length=128)
    value = EncryptedTextField(max_length=4096, blank=True)

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_secret(self) -> bool:
        """Tell whether the value must be masked wherever it is shown."""
        return is_secret_header(self.name)

    def clean(self) -> None:
        """Refuse what is no header, or would change the request around it."""
        super().clean()
        try:
            check_header(self.name, readable(self, "value") or "")
        except InvalidHeader as error:
            raise ValidationError({error.field: str(error)}) from None


class RetiredSecret(AccountOwned):
    """A secret that was replaced, and signs along with the new one until `signs_until`."""

    ID_PREFIX = "old"

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="retired_secrets")
    secret = EncryptedTextField()
    signs_until = models.DateTimeField()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"old secret of {self.webhook}"


class WebhookDraft(AccountOwned):
    """A webhook that somebody is making in the wizard, until it is finished or discarded.

    It belongs to one person in one account, and nobody else sees it. `answers` is the JSON form of
    `apps.webhooks.wizard.answers`. Header values are credentials: `headers`, a JSON list of
    [name, value], is kept encrypted.
    """

    ID_PREFIX = "dft"

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    location = models.ForeignKey(Location, models.CASCADE, null=True, related_name="+")
    answers = models.JSONField(default=dict)
    headers = EncryptedTextField(blank=True)
    # That of the webhook to come, so that a test is signed as its deliveries will be.
    secret = EncryptedTextField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-updated_at"]
        indexes = [models.Index(fields=["account", "user"], name="draft_of_person")]

    def __str__(self) -> str:
        return str(self.answers.get("name") or "Unnamed webhook")
