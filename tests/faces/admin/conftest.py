"""Somebody who may set screens up."""

import pytest
from django.test import Client

from apps.common.access import Role
from tests.builders import World
from tests.conftest import LogIn


@pytest.fixture
def browser(world: World, log_in: LogIn) -> Client:
    """An admin of the account of `world`."""
    return log_in(account=world.account, role=Role.ADMIN)
