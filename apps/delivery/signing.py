"""Signatures by which a receiver knows that a request is ours and unchanged.

Two schemes. Standard Webhooks `v1` (https://www.standardwebhooks.com, spec version 1.0.0): an
HMAC-SHA256 over `id.timestamp.body`, with a `whsec_` secret. And, for older receivers, `sha256=`
and an HMAC-SHA256 of the body in hex, in a header that the admin names.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from apps.webhooks.secrets import Secret

# What Standard Webhooks receivers allow between their clock and the timestamp.
TOLERANCE_S: Final = 300


class InvalidSignature(ValueError):
    """A request does not carry a valid signature. The message says what is wrong."""


def sign(
    secrets: Sequence[Secret], *, message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """Make the three Standard Webhooks headers.

    Every secret signs, first the newest, so that a receiver verifies before, during and after a
    rotation. `timestamp` is in whole seconds since the epoch, and the time of this try.
    Raises ValueError without a secret, or for an id with a full stop, which would be ambiguous.
    """
    if not secrets:
        raise ValueError("A signature needs at least one secret.")
    if not message_id or "." in message_id:
        raise ValueError(f"The message id {message_id!r} is empty or has a full stop.")
    signed = b"%b.%d.%b" % (message_id.encode("ascii"), timestamp, body)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_v1(secret, signed) for secret in secrets),
    }


def _v1(secret: Secret, signed: bytes) -> str:
    mac = _keyed(secret.key).copy()
    mac.update(signed)
    return "v1," + base64.b64encode(mac.digest()).decode("ascii")


@lru_cache(maxsize=1024)
def _keyed(key: bytes) -> hmac.HMAC:
    """Return what all signatures of a key begin with: OpenSSL takes longer to set up than to sign.

    For copying only.
    """
    return hmac.new(key, digestmod=hashlib.sha256)


def verify(
    secrets: Sequence[Secret], *, headers: Mapping[str, str], body: bytes, now: float
) -> None:
    """Check a request as a receiver does; header names in any case, `now` in epoch seconds.

    Raises InvalidSignature when a header is missing, the timestamp is more than 5 minutes off, or
    no `v1` signature was made with one of the secrets. Signatures of other versions are skipped.
    """
    received = {name.lower(): value for name, value in headers.items()}
    try:
        message_id = received["webhook-id"]
        timestamp_text = received["webhook-timestamp"]
        signatures = received["webhook-signature"].split(" ")
    except KeyError as missing:
        raise InvalidSignature(f"The header {missing.args[0]} is missing.") from None
    if not (timestamp_text.isascii() and timestamp_text.isdigit() and len(timestamp_text) < 16):
        raise InvalidSignature("The header webhook-timestamp is not a number of seconds.")
    timestamp = int(timestamp_text)
    if abs(now - timestamp) > TOLERANCE_S:
        raise InvalidSignature("The timestamp is more than 5 minutes away from the clock.")
    signed = b"%b.%d.%b" % (message_id.encode(errors="replace"), timestamp, body)
    expected = [_v1(secret, signed).encode() for secret in secrets]
    given = [text.encode(errors="replace") for text in signatures]
    # Every pair is compared, so that the time taken tells nothing about which one matched.
    matches = [hmac.compare_digest(good, text) for good in expected for text in given]
    if not any(matches):
        raise InvalidSignature("No signature matches: the secret or the body differs.")


# --- sha256= for older receivers -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HexScheme:
    """How the `sha256=` signature is presented.

    `header` carries `sha256=` and the digest; with `key_id_header` set, that header carries
    `key_id`, by which a receiver picks its key during a rotation.
    """

    header: str
    uppercase: bool = False
    key_id_header: str | None = None
    key_id: str | None = None


def sign_hex(scheme: HexScheme, *, secret: str, body: bytes) -> dict[str, str]:
    """Make the header or headers of the `sha256=` scheme; the secret's UTF-8 bytes are the key.

    There is one signature in it, made with the one secret that is passed: these receivers compare
    the whole header.
    """
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {scheme.header: "sha256=" + (digest.upper() if scheme.uppercase else digest)}
    if scheme.key_id_header and scheme.key_id:
        headers[scheme.key_id_header] = scheme.key_id
    return headers
