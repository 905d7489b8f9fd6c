"""The admin of accounts, places and people."""

from apps.accounts.admin.accounts import AccountAdmin
from apps.accounts.admin.api_keys import ApiKeyAdmin
from apps.accounts.admin.audit import AuditEntryAdmin
from apps.accounts.admin.locations import GroupAdmin, LocationAdmin
from apps.accounts.admin.members import MembershipAdmin
from apps.accounts.admin.users import UserAdmin

__all__ = [
    "AccountAdmin",
    "ApiKeyAdmin",
    "AuditEntryAdmin",
    "GroupAdmin",
    "LocationAdmin",
    "MembershipAdmin",
    "UserAdmin",
]
