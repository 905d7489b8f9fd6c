"""Signing secrets: those of Standard Webhooks, and any text for older receivers."""

import base64
import binascii
import secrets
from dataclasses import dataclass, field
from typing import Final

PREFIX: Final = "whsec_"
MIN_KEY_BYTES: Final = 24
MAX_KEY_BYTES: Final = 64
# Of a secret that is any text, in characters.
MIN_TEXT: Final = 8
MAX_TEXT: Final = 200
_NEW_BYTES: Final = 32


class InvalidSecret(ValueError):
    """A pasted secret can not be used. The message says why, and never repeats the secret."""


@dataclass(frozen=True, slots=True)
class Secret:
    """The key of a Standard Webhooks signature, 24 to 64 bytes; kept out of logs by its repr."""

    key: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The form that admins copy: `whsec_` and base64."""
        return PREFIX + base64.b64encode(self.key).decode("ascii")


def new_signing_secret() -> str:
    """Return a secret in the form of Standard Webhooks: `whsec_` and 32 random bytes in base64."""
    return Secret(secrets.token_bytes(_NEW_BYTES)).text


def parse_secret(text: str) -> Secret:
    """Read a secret as admins paste it, with or without the `whsec_` prefix or base64 padding.

    Raises InvalidSecret with a message for the form.
    """
    encoded = text.strip().removeprefix(PREFIX)
    if not encoded:
        raise InvalidSecret("The secret is empty.")
    padding = "=" * (-len(encoded.rstrip("=")) % 4)
    try:
        key = base64.b64decode(encoded.rstrip("=") + padding, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidSecret(
            "The secret is not base64. Paste all of it, from whsec_ to the end."
        ) from None
    if not MIN_KEY_BYTES <= len(key) <= MAX_KEY_BYTES:
        raise InvalidSecret(
            f"The secret holds {len(key)} bytes; it must hold {MIN_KEY_BYTES} to {MAX_KEY_BYTES}."
        )
    return Secret(key)


def check_text(text: str) -> str:
    """Return a secret for `sha256=`, of which the whole text is the key; raise InvalidSecret."""
    if not MIN_TEXT <= len(text) <= MAX_TEXT:
        raise InvalidSecret(f"The secret must have {MIN_TEXT} to {MAX_TEXT} characters.")
    if not text.isprintable() or text != text.strip():
        raise InvalidSecret("The secret has blanks around it, or characters that do not print.")
    return text
