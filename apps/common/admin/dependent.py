"""The admin of rows that come and go with another row."""

from typing import Any

from django.http import HttpRequest

from apps.common.access import Role
from apps.common.admin.requests import access_of
from apps.common.admin.scoped import ReadOnlyAdmin


class DependentAdmin(ReadOnlyAdmin):
    """Rows that are shown with the one they belong to, and are deleted with it, never by hand."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Keep them out of the index."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let them go with their owner, from its page or list."""
        match = request.resolver_match
        own = f"{self.opts.app_label}_{self.opts.model_name}_"
        if obj is None or match is None or (match.url_name or "").startswith(own):
            return False
        return access_of(request).has_role(Role.MEMBER, obj.account_id)
