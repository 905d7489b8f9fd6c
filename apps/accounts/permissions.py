"""What the sender of an API request may do at all; roles decide about each account."""

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from apps.accounts.authentication import KeyBearer
from apps.accounts.models import Scope, User


class HasScope(BasePermission):
    """Lets a key through that has the scope of the view: `view.scope`, else read or write.

    An action of a view set may have a scope of its own, in `view.action_scopes`. People have no
    scopes: their roles say what they may read and write; events come from keys only.
    """

    message = "This API key lacks the scope for this."

    def has_permission(self, request: Request, view: Any) -> bool:
        """Tell whether the sender may do this."""
        scope = scope_of(view, str(request.method))
        if isinstance(request.user, User):
            return scope != Scope.INGEST
        return isinstance(request.user, KeyBearer) and request.user.may(scope)


def scope_of(view: Any, method: str) -> str:
    """Return the scope that a view asks for."""
    own = getattr(view, "action_scopes", {}).get(getattr(view, "action", None))
    default = Scope.READ if method in SAFE_METHODS else Scope.WRITE
    return str(own or getattr(view, "scope", None) or default)
