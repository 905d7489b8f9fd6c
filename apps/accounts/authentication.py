"""Who calls the API."""

import datetime as dt
from dataclasses import dataclass
from time import monotonic
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.request import Request

from apps.accounts.access import key_with_access
from apps.accounts.models import ApiKey, User
from apps.accounts.models.api_keys import hash_key
from apps.common.access import Access
from apps.common.problems import Problem

_CHALLENGE = 'Bearer realm="hookline"'
_TOUCH_EVERY = dt.timedelta(minutes=1)
# Where a key may be known, one that is revoked works for so long at most.
_KNOWN_FOR_S = 0.5
_MOST_KNOWN = 1_000
_known: dict[str, tuple[float, tuple[ApiKey, Access]]] = {}


@dataclass(frozen=True, slots=True)
class KeyBearer:
    """A program that calls the API with a key."""

    key: ApiKey
    access: Access
    is_authenticated: bool = True

    def may(self, scope: str) -> bool:
        """Tell whether its key has this scope."""
        return scope in self.key.scopes


def authenticate_bearer(request: HttpRequest, *, may_be_known: bool = False) -> KeyBearer | None:
    """Return the bearer behind the Authorization header, None without one.

    One that may be known is as it was half a second ago at most. A Problem 401 for a key that is
    unknown, revoked or expired, in the same words for each.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    now = timezone.now()
    found = (_known_key if may_be_known else key_with_access)(hash_key(token.strip()))
    if found is None or not found[0].is_usable(now):
        raise Problem(
            401,
            "invalid_key",
            "This API key is unknown, revoked or expired.",
            headers={"WWW-Authenticate": f'{_CHALLENGE}, error="invalid_token"'},
        )
    key, access = found
    if key.last_used_at is None or now - key.last_used_at > _TOUCH_EVERY:
        key.last_used_at = now
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return KeyBearer(key=key, access=access)


def _known_key(token_hash: str) -> tuple[ApiKey, Access] | None:
    """Return what `key_with_access` does, or did just now; it is asked again for what is no key."""
    now = monotonic()
    until, found = _known.get(token_hash, (0.0, None))
    if now < until:
        return found
    found = key_with_access(token_hash)
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    if found is not None:
        _known[token_hash] = (now + _KNOWN_FOR_S, found)
    return found


def person_of(request: Request | HttpRequest) -> User | None:
    """Return the person behind a request; None for a key, and for somebody who is not logged in."""
    return request.user if isinstance(request.user, User) else None


def bearer_of(request: Request) -> KeyBearer:
    """Return who calls an API view; raise NotAuthenticated for anybody without a key."""
    if not isinstance(request.user, KeyBearer):
        raise NotAuthenticated
    return request.user


class ApiKeyAuthentication(BaseAuthentication):
    """Hands DRF the bearer that the tenancy middleware has found already."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        """Return the bearer, or None."""
        bearer = getattr(request._request, "bearer", None)
        return (bearer, None) if bearer else None

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401."""
        return _CHALLENGE


class PersonAuthentication(SessionAuthentication):
    """Lets people who are logged in use the API from our own pages, with a CSRF token."""

    def enforce_csrf(self, request: Request) -> None:
        """Raise a Problem 403 for a request that another site may have caused."""
        try:
            super().enforce_csrf(request)
        except PermissionDenied:
            raise Problem(
                403,
                "csrf_failed",
                "A request of a session needs its CSRF token in the header X-CSRFToken.",
            ) from None


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How a key is described."""

    target_class = ApiKeyAuthentication
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return its description."""
        return {"type": "http", "scheme": "bearer", "description": "An API key, hk_…."}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How a session is described."""

    target_class = PersonAuthentication
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return its description."""
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "Changes also need the CSRF token in X-CSRFToken.",
        }
