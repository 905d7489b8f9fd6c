"""Model fields for secrets."""

from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class _Decrypted(str):
    """A text from the database that knows its ciphertext, so that saving it again changes nothing.

    The audit log, which sees ciphertexts alone, would take every saved row for a new secret.
    """

    __slots__ = ("ciphertext",)
    ciphertext: str


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text that is encrypted at rest with CREDENTIAL_KEYS (Fernet; the first key encrypts).

    Equal texts give different ciphertexts, so it can not be searched.
    """

    def get_prep_value(self, value: Any) -> Any:
        """Encrypt on the way to the database; empty text stays empty."""
        if not value:
            return value
        if isinstance(value, _Decrypted):
            return value.ciphertext
        return _cipher().encrypt(str(value).encode()).decode()

    def from_db_value(
        self, value: str | None, expression: Any, connection: BaseDatabaseWrapper
    ) -> str | None:
        """Decrypt on the way back."""
        if not value:
            return value
        text = _Decrypted(decrypt(value))
        text.ciphertext = value
        return text


def decrypt(ciphertext: str) -> str:
    """Return the text behind what an EncryptedTextField stored, for code that reads raw rows."""
    try:
        return _cipher().decrypt(ciphertext.encode()).decode()
    except InvalidToken:
        raise ImproperlyConfigured(
            "A stored credential can not be decrypted: CREDENTIAL_KEYS lacks the key it was"
            " encrypted with."
        ) from None


@lru_cache(maxsize=1)
def _cipher() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.CREDENTIAL_KEYS])
