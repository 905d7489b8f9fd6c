"""What tests share."""

from collections.abc import Callable, Iterator

import pytest
from django.db import transaction
from django.test import Client, override_settings
from pytest_django import DjangoDbBlocker

from apps.accounts.models import Account, User
from apps.common.access import Role
from tests.builders import World, make_world
from tests.factories import MembershipFactory


def pytest_configure(config: pytest.Config) -> None:
    """Nothing has been collected for WhiteNoise in a checkout; it says so for each browser."""
    config.addinivalue_line("filterwarnings", "ignore:No directory at:UserWarning")


LogIn = Callable[..., Client]


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    """Hash passwords quickly: tests make many users."""
    hashers = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with override_settings(PASSWORD_HASHERS=hashers):
        yield


@pytest.fixture(scope="module")
def kept(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Keep rows that fixtures of the same scope make, for all tests of a module.

    What a test itself writes is undone after it, as ever: it runs in a savepoint.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def log_in() -> LogIn:
    """Return a browser in which a user is logged in: `log_in(account=..., role=...)`."""

    def log_in(
        account: Account | None = None, role: Role = Role.ADMIN, user: User | None = None
    ) -> Client:
        who = user or MembershipFactory(account=account, role=role).user
        client = Client()
        client.force_login(who)
        return client

    return log_in


@pytest.fixture
def world(db: None) -> World:
    """An account in working order."""
    return make_world()
