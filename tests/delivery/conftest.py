"""Receivers and Redis servers for the tests that send."""

import socket
from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from apps.common.embedded import EmbeddedServices
from apps.common.embedded.redis_server import RedisServer
from apps.delivery import wake
from tests.delivery.receiver import Receiver, running_receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver whose paths behave as `tests.delivery.receiver` says."""
    with running_receiver() as receiver:
        yield receiver


@pytest.fixture
def redis_server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    """A Redis of the test's own, to be wiped and stopped."""
    monkeypatch.setattr(wake, "_silent_until", 0.0)
    with EmbeddedServices.temporary(postgres=False) as services:
        assert services.redis is not None
        settings.REDIS_URL = services.redis_url
        yield services.redis


@pytest.fixture
def silent_redis(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Redis that takes connections and never answers."""
    monkeypatch.setattr(wake, "_silent_until", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.REDIS_URL = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        yield
