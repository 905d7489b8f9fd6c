"""Keys for programs."""

import datetime as dt
import hashlib
import secrets

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.accounts.models.users import User
from apps.common.models import AccountOwned

_TOKEN_BYTES = 32
_PREFIX = "hk_"
_SHOWN_CHARS = 11


class Scope(models.TextChoices):
    """What a key may be used for."""

    READ = "read", "Read"
    WRITE = "write", "Write"
    INGEST = "ingest", "Post call events"


def hash_key(token: str) -> str:
    """Return the SHA-256, in hex, under which a key is stored.

    A plain hash is enough: a key is 256 random bits, so it can not be guessed from its hash.
    """
    return hashlib.sha256(token.encode()).hexdigest()


class ApiKey(AccountOwned):
    """A bearer key of one account. Only its hash is stored; the key itself is shown once.

    A key of an agency reaches its client accounts too.
    """

    ID_PREFIX = "key"

    name = models.CharField(max_length=120, help_text="What uses it, as “Twilio” or “import”.")
    hint = models.CharField(max_length=16, editable=False)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=10, choices=Scope), size=3)
    created_by = models.ForeignKey(
        User, models.SET_NULL, null=True, editable=False, related_name="+"
    )
    last_used_at = models.DateTimeField(null=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = "API key"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    def issue_token(self) -> str:
        """Give the unsaved key its random token and return it: the only time it is known."""
        token = _PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)
        self.hint = token[:_SHOWN_CHARS]
        self.token_hash = hash_key(token)
        return token

    def is_usable(self, now: dt.datetime) -> bool:
        """Tell whether the key is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)

    def revoke(self, now: dt.datetime) -> None:
        """Stop the key from working, for good."""
        self.revoked_at = now
        self.save(update_fields=["revoked_at"])
