"""What tests share."""

from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import Settings

from apps.accounts.models import Account, User
from apps.common.access import Role
from tests.builders import World, make_world
from tests.factories import MembershipFactory


def pytest_configure(config: pytest.Config) -> None:
    """Nothing has been collected for WhiteNoise in a checkout; it says so for each browser."""
    config.addinivalue_line("filterwarnings", "ignore:No directory at:UserWarning")


LogIn = Callable[..., Client]


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    """Hash passwords quickly: tests make many users."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


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
