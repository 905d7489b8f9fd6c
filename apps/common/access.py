"""Who may reach what: the answer that every request carries, worked out once.

Pure values; `apps.accounts.access` builds them from memberships and API keys.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum


class Role(IntEnum):
    """What a member may do in an account; a higher role may do all that a lower one may."""

    VIEWER = 10
    MEMBER = 20
    ADMIN = 30
    OWNER = 40


@dataclass(frozen=True, slots=True)
class ReachableAccount:
    """An account that somebody reaches, with the role they have there."""

    id: uuid.UUID
    name: str
    is_agency: bool
    role: Role
    parent_id: uuid.UUID | None = None
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Access:
    """What the person or key behind a request reaches.

    `accounts` is everything reachable; `current_id` narrows the admin to one of them, None means
    all at once. An operator runs Hookline itself and reaches every account. `key_id` and
    `own_id` are those of an API key: the key itself, and the account that it belongs to.
    """

    accounts: Mapping[uuid.UUID, ReachableAccount] = field(default_factory=dict)
    user_id: uuid.UUID | None = None
    key_id: uuid.UUID | None = None
    own_id: uuid.UUID | None = None
    is_operator: bool = False
    current_id: uuid.UUID | None = None

    @property
    def account_ids(self) -> list[uuid.UUID]:
        """Every reachable account: what the database wall lets through."""
        return list(self.accounts)

    @property
    def active_ids(self) -> list[uuid.UUID]:
        """The accounts that lists and forms work on now."""
        return [self.current_id] if self.current_id else self.account_ids

    @property
    def current(self) -> ReachableAccount | None:
        """The one account that is being worked on, if it is one."""
        return self.accounts.get(self.current_id) if self.current_id else None

    @property
    def time_zone(self) -> str:
        """The time zone to show times in: that of the active accounts, UTC if they differ."""
        zones = {self.accounts[key].time_zone for key in self.active_ids}
        return zones.pop() if len(zones) == 1 else "UTC"

    @property
    def shared_from_ids(self) -> list[uuid.UUID]:
        """Agencies above the reachable accounts, whose shared templates may be read."""
        parents = {account.parent_id for account in self.accounts.values()}
        return [parent for parent in parents if parent is not None and parent not in self.accounts]

    def has_role(self, role: Role, account_id: uuid.UUID | None = None) -> bool:
        """Tell whether this role is held in the account, or in any active one if none is named."""
        if account_id is not None:
            account = self.accounts.get(account_id)
            return account is not None and account.role >= role
        return any(self.accounts[key].role >= role for key in self.active_ids)


NOBODY = Access()
