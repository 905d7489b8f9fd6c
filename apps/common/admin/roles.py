"""Permissions by role: Django's own permissions are not used."""

import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from django.db.models import Model
from django.http import HttpRequest

from apps.common.access import Role
from apps.common.admin.requests import access_of

if TYPE_CHECKING:
    from django.contrib.admin.options import BaseModelAdmin

    _Base = BaseModelAdmin[Any]
else:
    _Base = object


class RoleAdmin(_Base):
    """Says what may be done by the role held in the account of a row.

    Each of the four is the least role that may, None means nobody. Without a row the question is
    whether the role is held in any account that is being worked on.
    """

    view_role: ClassVar[Role | None] = Role.VIEWER
    add_role: ClassVar[Role | None] = Role.MEMBER
    change_role: ClassVar[Role | None] = Role.MEMBER
    delete_role: ClassVar[Role | None] = Role.ADMIN

    def account_id_of(self, row: Model) -> uuid.UUID | None:
        """Return the account that a row belongs to."""
        account_id: uuid.UUID | None = getattr(row, "account_id", None)
        return account_id

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell whether rows, or this one, may be looked at."""
        return self._may(request, self.view_role, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell whether a row may be added; in an inline, to this parent."""
        return self._may(request, self.add_role, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell whether rows, or this one, may be changed."""
        return self._may(request, self.change_role, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell whether rows, or this one, may be deleted."""
        return self._may(request, self.delete_role, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Tell whether the side bar and index show this at all."""
        return self.has_view_permission(request)

    def _may(self, request: HttpRequest, role: Role | None, row: Model | None) -> bool:
        if role is None:
            return False
        access = access_of(request)
        if row is None or row._state.adding:
            return access.has_role(role)
        account_id = self.account_id_of(row)
        return account_id is not None and access.has_role(role, account_id)
