"""An account, and somebody who works in it."""

import pytest
from django.test import Client

from apps.accounts.models import Account
from apps.common.access import Role
from tests.conftest import LogIn
from tests.factories import AccountFactory


@pytest.fixture
def account() -> Account:
    return AccountFactory()


@pytest.fixture
def browser(account: Account, log_in: LogIn) -> Client:
    return log_in(account=account, role=Role.MEMBER)
