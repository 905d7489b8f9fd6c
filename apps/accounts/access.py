"""Working out what somebody reaches."""

import uuid
from collections.abc import Iterable

from django.db.models import Q

from apps.accounts.models import Account, ApiKey, Membership, Scope, User
from apps.common.access import Access, ReachableAccount, Role


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


def access_of_key(key: ApiKey) -> Access:
    """Return what an API key reaches: its account, and the clients of an agency."""
    role = Role.ADMIN if Scope.WRITE in key.scopes else Role.VIEWER
    return Access(
        accounts=_reached_by_roles([(key.account_id, role)]),
        key_id=key.pk,
        own_id=key.account_id,
    )


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
