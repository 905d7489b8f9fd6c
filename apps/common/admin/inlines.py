"""Account-owned rows inside the page of the row they belong to."""

from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.http import HttpRequest

from apps.common.admin.forms import AccountScopedForm, AccountScopedFormSet, scope_choices
from apps.common.admin.requests import access_of, form_accounts
from apps.common.admin.roles import RoleAdmin

if TYPE_CHECKING:
    from django.contrib.admin import StackedInline as _StackedInline
    from django.contrib.admin import TabularInline as _TabularInline
    from django.contrib.admin.options import InlineModelAdmin

    Stacked = _StackedInline[Any, Any]
    Tabular = _TabularInline[Any, Any]
    _Inline = InlineModelAdmin[Any, Any]
else:
    from unfold.admin import StackedInline as Stacked
    from unfold.admin import TabularInline as Tabular

    _Inline = object


class _AccountScopedInline(RoleAdmin, _Inline):
    form = AccountScopedForm
    formset = AccountScopedFormSet
    exclude = ["account"]
    extra = 0
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Rows of reachable accounts."""
        return super().get_queryset(request).filter(account_id__in=access_of(request).account_ids)

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Return a formset whose selects offer only rows of the parent's account."""
        formset = super().get_formset(request, obj, **kwargs)
        role = self.add_role or RoleAdmin.add_role
        if role is not None:
            accounts = form_accounts(request, obj, role)
            scope_choices(formset.form, accounts, request, f"{formset.get_default_prefix()}-")
        return formset

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Return the field without shortcuts to edit or delete what it points at."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        return without_shortcuts(field)


class AccountScopedTabularInline(_AccountScopedInline, Tabular):
    """A table of rows; their account is that of the parent."""


class AccountScopedStackedInline(_AccountScopedInline, Stacked):
    """Rows one below the other; their account is that of the parent."""


def without_shortcuts(field: Any) -> Any:
    """Take the pop-up links off a related field; a page is one click away and shows more."""
    widget = getattr(field, "widget", None)
    for name in ("can_add_related", "can_change_related", "can_delete_related", "can_view_related"):
        if hasattr(widget, name):
            setattr(widget, name, False)
    return field
