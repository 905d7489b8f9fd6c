"""Working out what somebody reaches."""

import uuid
from collections.abc import Iterable
from typing import Final

from django.db.models import Q

from apps.accounts.models import Account, AccountKind, ApiKey, Membership, Scope, User
from apps.common.access import NOBODY, Access, ReachableAccount, Role
from apps.common.prepared import prepared_cursor

_OF_KEY: Final = (
    "id",
    "account_id",
    "name",
    "hint",
    "scopes",
    "last_used_at",
    "expires_at",
    "revoked_at",
)
_KEY: Final = f"""
SELECT {", ".join(f"key.{name}" for name in _OF_KEY)},
  reached.id, reached.name, reached.kind, reached.parent_id, reached.time_zone
FROM accounts_apikey key
JOIN accounts_account own ON own.id = key.account_id AND own.is_active
JOIN accounts_account reached
  ON (reached.id = own.id OR reached.parent_id = own.id) AND reached.is_active
WHERE key.token_hash = %s
ORDER BY reached.name
"""  # noqa: S608 - made of the constants above


def access_of_user(user: User, current_id: uuid.UUID | None = None) -> Access:
    """Return what a user reaches: their accounts, and the clients of their agencies.

    Where both an own membership and the agency's give a role, the higher one holds. An account that
    is off is not reached, nor anything through it.
    `current_id` outside of it is ignored. One query; the account list for an operator.
    """
    if user.is_superuser:
        reachable = {
            account.id: _reachable(account, Role.OWNER)
            for account in Account.objects.order_by("name")
        }
    else:
        reachable = _reached_by_roles(
            (membership.account_id, Role(membership.role))
            for membership in Membership.objects.filter(user=user, account__is_active=True)
        )
    if current_id not in reachable:
        current_id = next(iter(reachable)) if len(reachable) == 1 else None
    return Access(
        accounts=reachable,
        user_id=user.pk,
        is_operator=user.is_superuser,
        current_id=current_id,
    )


def key_with_access(token_hash: str) -> tuple[ApiKey, Access] | None:
    """Return the key of this hash, and what it reaches: its account, and an agency's clients.

    None where there is none, or its account is off. One statement, as each request of a program
    begins with it; the key has its hash and the fields of `_OF_KEY` only.
    """
    with prepared_cursor() as cursor:
        rows = cursor.rows(_KEY, [token_hash])
    if not rows:
        return None
    key = ApiKey(token_hash=token_hash, **dict(zip(_OF_KEY, rows[0], strict=False)))
    role = Role.ADMIN if Scope.WRITE in key.scopes else Role.VIEWER
    reached = (
        ReachableAccount(id_, name, kind == AccountKind.AGENCY, role, parent_id, time_zone)
        for id_, name, kind, parent_id, time_zone in (row[len(_OF_KEY) :] for row in rows)
    )
    accounts = {account.id: account for account in reached}
    return key, Access(accounts=accounts, key_id=key.pk, own_id=key.account_id)


def access_of_key(key: ApiKey) -> Access:
    """Return what a key reaches that is known already; nothing where its account is off."""
    found = key_with_access(key.token_hash)
    return found[1] if found else NOBODY


def access_of_account(account: Account) -> Access:
    """Return the access of an account by itself, as of a phone platform that calls for it."""
    return Access(accounts={account.id: _reachable(account, Role.VIEWER)})


def _reached_by_roles(
    roles: Iterable[tuple[uuid.UUID, Role]],
) -> dict[uuid.UUID, ReachableAccount]:
    by_account = dict(roles)
    accounts = Account.objects.filter(
        Q(pk__in=by_account) | Q(parent_id__in=by_account), is_active=True
    ).order_by("name")
    return {
        account.id: _reachable(
            account,
            max(by_account[key] for key in (account.id, account.parent_id) if key in by_account),
        )
        for account in accounts
    }


def _reachable(account: Account, role: Role) -> ReachableAccount:
    return ReachableAccount(
        id=account.id,
        name=account.name,
        is_agency=account.is_agency,
        role=role,
        parent_id=account.parent_id,
        time_zone=account.time_zone,
    )
