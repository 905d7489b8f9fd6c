"""Who works on the screens of the systems, and what their webhooks reach."""

import pytest
from django.test import Client

from apps.common.access import Role
from tests.builders import World
from tests.conftest import LogIn
from tests.delivery.conftest import receiver as receiver
from tests.journeys.systems import dress


@pytest.fixture
def browser(world: World, log_in: LogIn) -> Client:
    dress(world)
    return log_in(account=world.account, role=Role.ADMIN)
