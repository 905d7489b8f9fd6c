"""Model fields for secrets."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.query_utils import DeferredAttribute


class UnreadableSecret(ImproperlyConfigured):
    """A secret was encrypted with a key that CREDENTIAL_KEYS does not have; `of` names its row."""

    def __init__(self, of: str = "") -> None:
        super().__init__(
            f"A stored credential{of and f' of {of}'} can not be decrypted: CREDENTIAL_KEYS lacks"
            " the key it was encrypted with."
        )


@dataclass(frozen=True, slots=True)
class Ciphertext:
    """A secret as the database has it. It is no text, so that nobody takes it for the secret."""

    text: str


class _Decrypted(str):
    """A secret that knows its ciphertext, so that saving it again changes nothing.

    The audit log, which sees ciphertexts alone, would take every saved row for a new secret.
    """

    __slots__ = ("ciphertext",)
    ciphertext: Ciphertext


class _Secret(DeferredAttribute):
    """A column that is decrypted when somebody asks for it, and not when its row is read.

    A row whose key is gone still has a name and a page, and can be deleted or given a new secret.
    """

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        """Return the secret; raise UnreadableSecret."""
        stored = super().__get__(instance, cls)
        if not isinstance(stored, Ciphertext):
            return stored
        try:
            text = _Decrypted(decrypt(stored.text))
        except UnreadableSecret:
            raise UnreadableSecret(f"{instance._meta.label} {instance.pk}") from None
        text.ciphertext = stored
        return text

    def __set__(self, instance: Any, value: Any) -> None:
        """Take another secret; the one that is there already changes nothing."""
        known = instance.__dict__.get(self.field.attname)
        if not (isinstance(known, Ciphertext) and isinstance(value, str) and _is(known, value)):
            instance.__dict__[self.field.attname] = getattr(value, "ciphertext", value)


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text that is encrypted at rest with CREDENTIAL_KEYS (Fernet; the first key encrypts).

    Equal texts give different ciphertexts, so it can not be searched. Reading it from a row raises
    UnreadableSecret where its key is gone; `values` of a query are ciphertexts.
    """

    descriptor_class = _Secret

    def get_prep_value(self, value: Any) -> Any:
        """Encrypt on the way to the database; empty text stays empty."""
        if not value:
            return value
        if isinstance(known := getattr(value, "ciphertext", value), Ciphertext):
            return known.text
        return _cipher().encrypt(str(value).encode()).decode()

    def from_db_value(
        self, value: str | None, expression: Any, connection: BaseDatabaseWrapper
    ) -> Ciphertext | str | None:
        """Leave it encrypted until it is asked for."""
        return Ciphertext(value) if value else value

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Save what is there as it is."""
        return model_instance.__dict__[self.attname]

    def value_from_object(self, obj: models.Model) -> str:
        """Return what a form begins with."""
        return readable(obj, self.name) or ""


def kept_secrets(row: models.Model) -> list[str]:
    """Return the secrets of a row that nobody has set since it was read, if they were."""
    stored = Ciphertext("")
    return [
        field.name
        for field in row._meta.concrete_fields
        if isinstance(field, EncryptedTextField)
        and isinstance(row.__dict__.get(field.attname, stored), Ciphertext)
    ]


def is_kept(row: models.Model, name: str) -> bool:
    """Tell whether a row has a secret, readable or not."""
    return readable(row, name) != ""


def readable(row: models.Model, name: str) -> str | None:
    """Return a secret of a row, "" for none; None where its key is gone."""
    try:
        return getattr(row, name) or ""
    except UnreadableSecret:
        return None


def decrypt(ciphertext: str) -> str:
    """Return the text behind what an EncryptedTextField stored, for code that reads raw rows."""
    try:
        return _cipher().decrypt(ciphertext.encode()).decode()
    except InvalidToken:
        raise UnreadableSecret from None


def _is(known: Ciphertext, text: str) -> bool:
    try:
        return decrypt(known.text) == text
    except UnreadableSecret:
        return False


@lru_cache(maxsize=1)
def _cipher() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.CREDENTIAL_KEYS])
