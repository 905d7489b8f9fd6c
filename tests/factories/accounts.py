"""Accounts, the people in them, and what is kept of what they do."""

import uuid
from typing import Any

import factory

from apps.accounts.models import (
    Account,
    AccountKind,
    ApiKey,
    Group,
    Location,
    Membership,
    Scope,
    User,
)
from apps.common.access import Role
from apps.common.models import AuditAction, AuditEntry, StoredAnswer

PASSWORD = "correct-horse-battery"


class UserFactory(factory.django.DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@example.com")
    full_name = factory.Sequence(lambda n: f"Person {n}")
    password = factory.django.Password(PASSWORD)


class OperatorFactory(UserFactory):
    is_superuser = True


class AccountFactory(factory.django.DjangoModelFactory[Account]):
    class Meta:
        model = Account

    name = factory.Sequence(lambda n: f"Account {n}")


class AgencyFactory(AccountFactory):
    kind = AccountKind.AGENCY


class MembershipFactory(factory.django.DjangoModelFactory[Membership]):
    class Meta:
        model = Membership

    account = factory.SubFactory(AccountFactory)
    user = factory.SubFactory(UserFactory)
    role = Role.ADMIN


class ApiKeyFactory(factory.django.DjangoModelFactory[ApiKey]):
    """Its token is on the row as `token`."""

    class Meta:
        model = ApiKey

    account = factory.SubFactory(AccountFactory)
    name = factory.Sequence(lambda n: f"Key {n}")
    scopes = factory.LazyFunction(lambda: list(Scope))

    @classmethod
    def _create(cls, model_class: type[ApiKey], *args: Any, **kwargs: Any) -> ApiKey:
        key = model_class(*args, **kwargs)
        key.token = key.issue_token()  # type: ignore[attr-defined]
        key.save()
        return key


class AuditEntryFactory(factory.django.DjangoModelFactory[AuditEntry]):
    class Meta:
        model = AuditEntry

    account = factory.SubFactory(AccountFactory)
    action = AuditAction.NOTED
    actor_kind = "system"
    actor_label = "Hookline"


class StoredAnswerFactory(factory.django.DjangoModelFactory[StoredAnswer]):
    class Meta:
        model = StoredAnswer

    account = factory.SubFactory(AccountFactory)
    sender = factory.LazyFunction(uuid.uuid4)
    key = factory.Sequence(lambda n: f"key-{n}")
    digest = "0" * 64
    status = 201
    headers = factory.LazyFunction(dict)
    body = "{}"


class GroupFactory(factory.django.DjangoModelFactory[Group]):
    class Meta:
        model = Group

    account = factory.SubFactory(AccountFactory)
    name = factory.Sequence(lambda n: f"Group {n}")


class LocationFactory(factory.django.DjangoModelFactory[Location]):
    class Meta:
        model = Location

    account = factory.SubFactory(AccountFactory)
    name = factory.Sequence(lambda n: f"Location {n}")
    city = "Los Angeles"
