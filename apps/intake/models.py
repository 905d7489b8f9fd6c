"""Phone platforms as accounts have set them up, and what they called."""

import secrets

from django.core.exceptions import ValidationError
from django.db import models

from apps.accounts.models import Location
from apps.calls.models import Call
from apps.common.fields import EncryptedTextField, is_kept
from apps.common.models import AccountOwned
from apps.webhooks.headers import InvalidHeader, check_header
from apps.webhooks.models import TemplateFormat
from apps.webhooks.services import read_sample

_KEY_BYTES = 24


def new_url_key() -> str:
    """Return the part of a callback URL that nobody can guess."""
    return secrets.token_urlsafe(_KEY_BYTES)


class SourceKind(models.TextChoices):
    """How a source's callbacks are read."""

    TWILIO = "twilio", "Twilio"
    GENERIC = "generic", "Any other platform"


class Source(AccountOwned):
    """A phone platform that calls a URL of its own with what happens to an account's calls.

    `url_key` is in that URL. Twilio's requests are signed with `auth_token`, or with
    `second_auth_token` while it is being replaced. Of any other platform, `sample` is one of its
    callbacks and `mapping` the JSON form of `apps.webhooks.mapping`: what of it fills each field
    of an event.
    """

    ID_PREFIX = "src"

    name = models.CharField(max_length=120)
    kind = models.CharField("platform", max_length=10, choices=SourceKind)
    location = models.ForeignKey(
        Location,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="For calls to numbers that are not set up as tracking numbers. Empty: those are"
        " refused.",
    )
    url_key = EncryptedTextField(default=new_url_key, editable=False)
    auth_token = EncryptedTextField("Auth Token", blank=True, editable=False)
    second_auth_token = EncryptedTextField("second Auth Token", blank=True, editable=False)
    format = models.CharField(
        "type of its callbacks",
        max_length=8,
        choices=TemplateFormat,
        default=TemplateFormat.JSON,
        help_text="URL query: the platform calls by GET, with everything in the URL.",
    )
    sample = models.TextField(
        "sample of a callback",
        blank=True,
        help_text="Paste what the platform sends: its documentation or its log has it.",
    )
    mapping = models.JSONField(default=list, editable=False)
    signature_header = models.CharField(
        "header of the signature",
        max_length=128,
        blank=True,
        help_text="HMAC-SHA256 over the body, in hex or base64, with or without “sha256=”."
        " Empty: whoever knows the URL may call it.",
    )
    signature_secret = EncryptedTextField(blank=True, editable=False)
    is_active = models.BooleanField(
        "active", default=True, help_text="Off: its URL answers as if it did not exist."
    )
    last_refused_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = "phone platform"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["account", "name"], name="source_name_once_an_account")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_twilio(self) -> bool:
        """Whether Twilio calls it."""
        return self.kind == SourceKind.TWILIO

    @property
    def has_auth_token(self) -> bool:
        """Whether its first Auth Token was entered."""
        return is_kept(self, "auth_token")

    def clean(self) -> None:
        """Refuse a sample that can not be read, and half a signature."""
        super().clean()
        if self.is_twilio:
            return
        if self.sample:
            read_sample(sample=self.sample, template_format=self.format)
        if self.signature_header:
            try:
                check_header(self.signature_header, "")
            except InvalidHeader as error:
                raise ValidationError({"signature_header": str(error)}) from None
            if not is_kept(self, "signature_secret"):
                raise ValidationError({"signature_header": "Enter the signing secret as well."})


class Callback(AccountOwned):
    """A request of a source whose signature is right, and what became of it.

    `digest` tells it from any other one; `event` is what was read from it, in the form of the
    event API.
    """

    ID_PREFIX = "cb"

    class Outcome(models.TextChoices):
        """What became of a callback."""

        TAKEN = "taken", "Taken"
        REPEATED = "repeated", "Known already"
        HELD = "held", "Waits for its call"
        IGNORED = "ignored", "Ignored"
        REJECTED = "rejected", "Rejected"

    source = models.ForeignKey(Source, models.CASCADE, related_name="callbacks", db_index=False)
    digest = models.CharField(max_length=64)
    about = models.CharField(max_length=200, blank=True)
    call_external_id = models.CharField("platform's call id", max_length=128, blank=True)
    leg_external_id = models.CharField(max_length=128, blank=True)
    # PostgreSQL empties it with the call, which is purged past Django.
    call = models.ForeignKey(
        Call, models.SET_NULL, null=True, related_name="+", db_constraint=False
    )
    outcome = models.CharField(max_length=10, choices=Outcome)
    detail = models.CharField(max_length=500, blank=True)
    body = models.TextField(blank=True)
    event = models.JSONField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["source", "digest"], name="callback_once_a_source")
        ]
        indexes = [
            models.Index(fields=["source", "-created_at"], name="callback_newest_of_source"),
            models.Index(
                fields=["source", "call_external_id"],
                condition=models.Q(outcome="held"),
                name="callback_held",
            ),
        ]

    def __str__(self) -> str:
        return self.about or "Callback"

    @property
    def is_open(self) -> bool:
        """Whether it may become another thing once its platform is set up differently."""
        return self.outcome in (self.Outcome.REJECTED, self.Outcome.IGNORED)
