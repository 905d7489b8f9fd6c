"""Each request in one transaction that reaches only what its sender reaches."""

import ipaddress
import re
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils import timezone

from apps.accounts.access import access_of_user
from apps.accounts.authentication import KeyBearer, authenticate_bearer
from apps.accounts.logins import actor_label
from apps.accounts.models import User
from apps.common import logs
from apps.common.access import NOBODY, Access
from apps.common.collisions import is_collision
from apps.common.origin import ActorKind, Origin, acting
from apps.common.outages import OUTAGES, outage_response
from apps.common.problems import Problem, conflict, problem_response
from apps.common.tenancy import open_scope, tenant_scope, undo

SESSION_ACCOUNT = "account"
# Where a person is not known yet, or changes what only the owner of the tables may: these
# check what they do themselves.
_SYSTEM_VIEWS = {
    "admin:login",
    "admin:logout",
    "admin:password_change",
    "password_reset",
    "password_reset_done",
    "password_reset_confirm",
    "password_reset_complete",
}
_API_PREFIX = "/api/"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MOST_OF_AGENT = 300


class TenantRequest(HttpRequest):
    """A request that has passed the tenancy middleware."""

    access: Access
    bearer: KeyBearer | None


class TenancyMiddleware:
    """Sets `request.access` and runs the view behind the database wall, in the account's time zone.

    The transaction is rolled back when the view raises or answers with a server error. A view that
    is marked by `opens_scopes` gets none, and enters the tenant scope where it needs it. While a
    service is away that the request needs, it is answered 503; where somebody else has changed the
    same meanwhile, 409.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: TenantRequest) -> HttpResponse:
        """Handle one request."""
        try:
            return self._handle(request)
        except (*OUTAGES, DatabaseError) as error:
            # What a transaction refers to is checked when it ends, after its view.
            if (answer := _explained(request, error)) is None:
                raise
            return answer

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Undo what a failing view wrote, also for those errors that become a 404 or 403."""
        undo(request)
        return _explained(request, error)

    def _handle(self, request: TenantRequest) -> HttpResponse:
        match = _match_of(request)
        if request.path_info.startswith(_API_PREFIX) and _takes_keys(match):
            try:
                request.bearer = authenticate_bearer(request, may_be_known=_is_intake(match))
            except Problem as problem:
                return problem_response(problem)
            access = request.bearer.access if request.bearer else _access_of_session(request)
        else:
            access = _access_of_session(request)
        request.access = access
        scope = _scope_of(match, access)
        with timezone.override(access.time_zone), acting(origin_of(request)), scope:
            return self._answer(request)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code >= 500:
            undo(request)
        return response


def _explained(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """Answer where a service is away, or somebody else was faster; None for any other error."""
    if answer := outage_response(request, error):
        return answer
    if not is_collision(error):
        return None
    if request.path_info.startswith(_API_PREFIX):
        return problem_response(conflict())
    return HttpResponse(get_template("409.html").render(), status=409)


def _access_of_session(request: HttpRequest) -> Access:
    # There is none on the short way.
    user = getattr(request, "user", None)
    if not isinstance(user, User) or not user.is_active:
        return NOBODY
    try:
        current_id = uuid.UUID(request.session.get(SESSION_ACCOUNT, ""))
    except ValueError:
        current_id = None
    return access_of_user(user, current_id)


def origin_of(request: HttpRequest) -> Origin:
    """Return who sends a request, and from where, as the audit log tells it."""
    bearer: KeyBearer | None = getattr(request, "bearer", None)
    if bearer is not None:
        kind, actor_id, label = ActorKind.KEY, bearer.key.pk, str(bearer.key)
    elif isinstance(user := getattr(request, "user", None), User):
        kind, actor_id, label = ActorKind.USER, user.pk, actor_label(user)
    else:
        kind, actor_id, label = ActorKind.VISITOR, None, "Nobody who is logged in"
    agent = _CONTROL.sub("", request.headers.get("User-Agent", ""))
    return Origin(
        kind=kind,
        actor_id=actor_id,
        label=label,
        via="api" if request.path_info.startswith(_API_PREFIX) else "admin",
        ip=_address_of(request),
        user_agent=agent[:_MOST_OF_AGENT],
        request_id=logs.request_id.get(),
    )


def _address_of(request: HttpRequest) -> str | None:
    """Return the sender's address: what our proxy says, else the other end of the connection."""
    address = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_TLS_PROXY:
        # The last one is the proxy's own word; a client may have written those before it.
        address = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip() or address
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return None


def _match_of(request: HttpRequest) -> ResolverMatch | None:
    try:
        return resolve(request.path_info)
    except Resolver404:
        return None


def _takes_keys(match: ResolverMatch | None) -> bool:
    """Tell whether a bearer is one of ours; where nobody is authenticated it is a platform's."""
    view = getattr(match.func, "cls", None) if match else None
    return view is None or bool(view.authentication_classes)


def _is_intake(match: ResolverMatch | None) -> bool:
    """Tell whether calls wait for the answer: whoever asks has just asked before."""
    return match is not None and getattr(getattr(match.func, "cls", None), "is_intake", False)


def _scope_of(match: ResolverMatch | None, access: Access) -> AbstractContextManager[None]:
    """Return what the view runs in: behind the wall, as the owner, or what it opens by itself."""
    if match is None:
        return tenant_scope(access)
    if getattr(match.func, "opens_scopes", False):
        return nullcontext()
    return open_scope() if match.view_name in _SYSTEM_VIEWS else tenant_scope(access)
