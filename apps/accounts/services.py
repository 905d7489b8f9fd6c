"""Opening accounts and handing out keys."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from apps.accounts.models import Account, AccountKind, ApiKey, Location, Membership, Scope, User
from apps.common.access import Role


@dataclass(frozen=True, slots=True)
class OpenedAccount:
    """A new account with its owner, first location and full-scope key."""

    account: Account
    owner: User
    location: Location
    key: ApiKey
    token: str


@transaction.atomic
def open_account(
    *,
    name: str,
    email: str,
    password: str,
    kind: AccountKind = AccountKind.CLIENT,
    parent: Account | None = None,
    time_zone: str = "America/New_York",
) -> OpenedAccount:
    """Open an account with an owner, a location of the same name and a key with every scope.

    A person who has a user already becomes owner of the new account too, and keeps their own
    password. Raises ValidationError naming the faulty field.
    """
    account = Account(name=name.strip(), kind=kind, parent=parent, time_zone=time_zone)
    account.full_clean()
    account.save()
    owner = _user_for(email=email, password=password)
    Membership.objects.create(account=account, user=owner, role=Role.OWNER)
    location = Location(account=account, name=account.name, time_zone=time_zone)
    location.full_clean()
    location.save()
    key, token = issue_key(account=account, name="First key", scopes=list(Scope), by=owner)
    return OpenedAccount(account=account, owner=owner, location=location, key=key, token=token)


def issue_key(
    *,
    account: Account,
    name: str,
    scopes: Iterable[str],
    by: User | None,
    expires_at: dt.datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key and return it with its token, which is known only now."""
    key = ApiKey(
        account=account, name=name, scopes=list(scopes), created_by=by, expires_at=expires_at
    )
    token = key.issue_token()
    key.full_clean()
    key.save()
    return key, token


def _user_for(*, email: str, password: str) -> User:
    email = email.strip().lower()
    existing = User.objects.filter(email=email).first()
    if existing is not None:
        return existing
    user = User(email=email)
    user.set_password(password)
    user.full_clean()
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from None
    user.save()
    return user
