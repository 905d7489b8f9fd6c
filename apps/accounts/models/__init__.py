"""Who uses Hookline, and where calls arrive."""

from apps.accounts.models.accounts import Account, AccountKind, Membership
from apps.accounts.models.api_keys import ApiKey, Scope
from apps.accounts.models.locations import Group, Location
from apps.accounts.models.users import User

__all__ = [
    "Account",
    "AccountKind",
    "ApiKey",
    "Group",
    "Location",
    "Membership",
    "Scope",
    "User",
]
