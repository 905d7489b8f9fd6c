"""The admin site, and the admin of account-owned models: the first wall.

The theme is imported here and in `config/`, and nowhere else: rooms take what they need of it from
`theme`.
"""

from apps.common.admin.display import labelled, tone_of
from apps.common.admin.filters import (
    ChoicesFilter,
    DateRangeFilter,
    DropdownFilter,
    ScopedRelatedFilter,
)
from apps.common.admin.forms import AccountScopedForm, AccountScopedFormSet
from apps.common.admin.history import HistoryPage
from apps.common.admin.inlines import AccountScopedStackedInline, AccountScopedTabularInline
from apps.common.admin.pages import TitledList, confirmation, confirmed, page_context
from apps.common.admin.panels import Panel
from apps.common.admin.requests import access_of, form_accounts, our_address
from apps.common.admin.roles import RoleAdmin
from apps.common.admin.scoped import AccountScopedAdmin, LogAdmin, ReadOnlyAdmin
from apps.common.admin.site import SWITCHER_CHOICES, HooklineAdminSite, operators_only

__all__ = [
    "SWITCHER_CHOICES",
    "AccountScopedAdmin",
    "AccountScopedForm",
    "AccountScopedFormSet",
    "AccountScopedStackedInline",
    "AccountScopedTabularInline",
    "ChoicesFilter",
    "DateRangeFilter",
    "DropdownFilter",
    "HistoryPage",
    "HooklineAdminSite",
    "LogAdmin",
    "Panel",
    "ReadOnlyAdmin",
    "RoleAdmin",
    "ScopedRelatedFilter",
    "TitledList",
    "access_of",
    "confirmation",
    "confirmed",
    "form_accounts",
    "labelled",
    "operators_only",
    "our_address",
    "page_context",
    "tone_of",
]
