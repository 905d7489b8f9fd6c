"""What of an address is a credential, and who sees it. Pure.

Credentials belong in headers, but many receivers want them in the query, or make the address itself
the secret. Who may change an address sees it whole, as in its form; nobody else learns enough from
it to call the receiver. What is sent is not touched.
"""

import re
import uuid
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote_plus

from apps.common.access import Access, Role

MASK = "••••••••"
# Headers of an answer that repeat the address, as one that leads from http to https does.
_HEADERS_WITH_ADDRESSES = ("location", "content-location")
# Names are compared as words, as X-Api-Key and apiKey have them, and as one word in small letters.
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_SECRET_WORDS = {"auth", "authorization", "bearer", "hmac", "jwt", "key", "pass", "pin", "psk"}
_SECRET_WORDS |= {"pwd", "sig", "sign"}
_SECRET_PARTS = re.compile(r"secret|token|passw|passphrase|credential|signature|key$|^code$")
# The host stays to be seen: it is in every name look-up, and says who the receiver is.
_HOST = re.compile(r"[^:/]*://(?:([^/@]*)@)?([^/]*)")
# A value that holds an address, or was written with another sign between pairs, is read on.
_INNER = re.compile(r"[?;]")
# What nobody types: a UUID, or so many characters of mixed kinds.
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LONG = 20
_RUN = re.compile(r"[A-Za-z0-9]{20,}")
_KINDS = tuple(map(re.compile, ("[a-z]", "[A-Z]", "[0-9]")))


def shown_url(url: str, account_id: uuid.UUID | None, access: Access) -> str:
    """Return an address of an account as this reader sees it: whole to members and above."""
    return url if account_id and access.has_role(Role.MEMBER, account_id) else masked_url(url)


def shown_headers(
    headers: Iterable[Any], account_id: uuid.UUID | None, access: Access
) -> list[tuple[str, str]]:
    """Return the headers of an answer as this reader sees them."""
    return [
        (name, shown_url(value, account_id, access))
        if name.lower() in _HEADERS_WITH_ADDRESSES
        else (name, value)
        for name, value in headers
    ]


def masked_url(url: str) -> str:
    """Return an address without user and password, parts that look random, and secret values.

    Anything may be given, and what is no address is masked as if it were one.
    """
    address, hash_sign, fragment = url.partition("#")
    path, question_mark, query = address.partition("?")
    host = ""
    if found := _HOST.match(path):
        host, path = path[: found.end()], path[found.end() :]
        if found[1] is not None:
            host = f"{host[: found.start(1)]}{MASK}@{found[2]}"
    path = "/".join(map(_masked_part, path.split("/")))
    return f"{host}{path}{question_mark}{masked_query(query)}{hash_sign}{MASK if fragment else ''}"


def masked_query(query: str) -> str:
    """Return pairs of names and values, with & between them, without the secret values."""
    return "&".join(map(_masked_pair, query.split("&")))


def _masked_part(part: str) -> str:
    return MASK if _looks_random(part) else part


def _masked_pair(pair: str) -> str:
    """Return a pair with its value masked if its name, or one inside of the value, tells to."""
    start = 0
    for piece in _INNER.split(pair):
        name, equals, _ = piece.partition("=")
        if equals and is_secret_name(name):
            # What follows may be a part of the value.
            return f"{pair[:start]}{name}={MASK}"
        start += len(piece) + 1
    return pair if "=" in pair else _masked_part(pair)


def is_secret_name(name: str) -> bool:
    """Tell whether a parameter of this name holds a credential, as far as names tell."""
    plain = unquote_plus(name)
    words = {word.lower() for word in _WORDS.findall(plain)}
    squeezed = re.sub(r"[^a-z0-9]", "", plain.lower())
    return bool(words & _SECRET_WORDS or _SECRET_PARTS.search(squeezed))


def _looks_random(part: str) -> bool:
    if len(part) < _LONG:
        return False
    run = _RUN.search(part)
    return bool(
        _UUID.search(part) or _kinds_of(part) == len(_KINDS) or (run and _kinds_of(run[0]) > 1)
    )


def _kinds_of(text: str) -> int:
    return sum(kind.search(text) is not None for kind in _KINDS)
