"""The signature of Twilio's requests. Pure.

Rules: twilio.com/docs/usage/security. It covers the public URL and each parameter of a form; of any
other body the SHA-256, which is then in the URL.
"""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Iterable, Sequence
from urllib.parse import parse_qs, urlsplit, urlunsplit

_PORTS = {"https": 443, "http": 80}
_BODY_HASH = "bodySHA256"

Parameters = Sequence[tuple[str, str]]
"""Names and values of a form, decoded."""


def is_signed(
    *, url: str, form: Parameters | None, body: bytes, signature: str, tokens: Iterable[str]
) -> bool:
    """Tell whether one of the auth tokens has signed this request.

    `url` is the one that Twilio was given, query included; `form` the parameters, None where the
    body is no form. Twilio may sign the URL with or without its port.
    """
    if form is None and not _is_body(body, url):
        return False
    given = signature.encode()
    wanted = [
        sign(each, form or (), token=token).encode()
        for token in tokens
        if token
        for each in _spellings(url)
    ]
    # Each is compared, whichever fits, so that the time taken tells nothing.
    return sum(hmac.compare_digest(each, given) for each in wanted) > 0


def sign(url: str, form: Parameters, *, token: str) -> str:
    """Return the signature of a URL and a form's parameters."""
    text = url + "".join(name + value for name, value in sorted(set(form)))
    return b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def _is_body(body: bytes, url: str) -> bool:
    stated = parse_qs(urlsplit(url).query).get(_BODY_HASH, [""])[0]
    computed = hashlib.sha256(body).hexdigest()
    return hmac.compare_digest(stated.lower().encode(), computed.encode())


def _spellings(url: str) -> list[str]:
    parts = urlsplit(url)
    host = parts.netloc.removesuffix(f":{parts.port}") if parts.port else parts.netloc
    port = parts.port or _PORTS.get(parts.scheme)
    with_port = urlunsplit(parts._replace(netloc=f"{host}:{port}"))
    without = urlunsplit(parts._replace(netloc=host))
    return list(dict.fromkeys([url, without, with_port]))
