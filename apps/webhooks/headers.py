"""Which HTTP headers a webhook may send, and which of them hide their value. Pure.

A value may contain %tokens%.
"""

import re
from collections.abc import Iterable

from apps.common.masking import MASK as MASK
from apps.webhooks.rendering import compile_text
from apps.webhooks.tokens import UnknownToken

# What may be shown of a header; every other value is treated as a credential.
PLAIN_HEADERS = frozenset({"accept", "accept-language", "content-type", "user-agent"})
# What HTTP itself needs: the client works them out.
COMPUTED_HEADERS = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# Set by the sending itself, so a webhook may not. Nothing is sent encoded.
RESERVED_HEADERS = COMPUTED_HEADERS | {
    "content-encoding",
    "webhook-id",
    "webhook-signature",
    "webhook-test",
    "webhook-timestamp",
}
# Says that a request is a test, and no delivery.
TEST_HEADER = "webhook-test"
MAX_VALUE = 4096
# Of a webhook.
MOST_HEADERS = 100
TOO_MANY = f"A webhook has {MOST_HEADERS} headers at most."
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class InvalidHeader(ValueError):
    """A header can not be sent. `field` is `name` or `value`; the message is for the form."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def is_secret_header(name: str) -> bool:
    """Tell whether the value of this header must be masked wherever it is shown."""
    return name.lower() not in PLAIN_HEADERS


def check_is_new(name: str, others: Iterable[str]) -> None:
    """Raise InvalidHeader if one of the others has this name; HTTP does not tell cases apart."""
    if name.lower() in {other.lower() for other in others}:
        raise InvalidHeader("name", f"There is a header {name} already; keep one.")


def check_header(name: str, value: str) -> None:
    """Raise InvalidHeader for what is no header, would change the request around it, or can not
    be filled because of a token that does not exist.
    """
    if not _NAME.fullmatch(name):
        raise InvalidHeader(
            "name", "A header name has letters, digits and hyphens only, as X-Api-Key."
        )
    if name.lower() in RESERVED_HEADERS:
        raise InvalidHeader("name", f"{name} is set by Hookline itself.")
    if len(value) > MAX_VALUE:
        raise InvalidHeader("value", f"A header value has {MAX_VALUE:,} characters at most.")
    if _CONTROL.search(value):
        raise InvalidHeader("value", "A header value is one line, without control characters.")
    try:
        compile_text(value)
    except UnknownToken as error:
        raise InvalidHeader("value", str(error)) from None
