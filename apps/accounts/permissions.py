"""What the bearer of a key may do."""

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from apps.accounts.authentication import KeyBearer
from apps.accounts.models import Scope


class HasScope(BasePermission):
    """Lets a key through that has the scope of the view: `view.scope`, else read or write."""

    message = "This API key lacks the scope for this."

    def has_permission(self, request: Request, view: Any) -> bool:
        """Tell whether the request's key has the scope."""
        if not isinstance(request.user, KeyBearer):
            return False
        default = Scope.READ if request.method in SAFE_METHODS else Scope.WRITE
        return request.user.may(getattr(view, "scope", None) or default)
