"""HMAC signatures as most platforms write them. Pure."""

import hashlib
import hmac
from base64 import b64encode


def is_hmac(body: bytes, *, secret: str, signature: str) -> bool:
    """Tell whether a header is the HMAC-SHA256 of a body: in hex or base64, `sha256=` or not."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    given = signature.strip()
    given = given[7:] if given.lower().startswith("sha256=") else given
    spellings = ((digest.hex(), given.lower()), (b64encode(digest).decode(), given))
    # Both are compared, so that the time taken tells nothing.
    return sum(hmac.compare_digest(ours.encode(), its.encode()) for ours, its in spellings) > 0
