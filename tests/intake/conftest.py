"""A source, and Twilio that posts to it."""

import pytest

from apps.intake.models import Source
from tests.builders import World
from tests.factories import SourceFactory
from tests.intake.calling import Twilio


@pytest.fixture
def source(world: World) -> Source:
    return SourceFactory(account=world.account)


@pytest.fixture
def twilio(source: Source) -> Twilio:
    return Twilio(source)
