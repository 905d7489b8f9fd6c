"""What a worker knows of endpoints and templates: bounded, and never less than it holds."""

import uuid

import pytest

from apps.delivery.engine import endpoints
from apps.delivery.engine.endpoints import EndpointCache, Unusable
from apps.delivery.engine.lanes import Lanes
from tests.delivery.test_lanes import claimed

NEEDED, DONE, OTHER = (uuid.UUID(int=number) for number in range(1, 4))


def cache_of(*keys: uuid.UUID) -> EndpointCache:
    cache = EndpointCache()
    for key in keys:
        cache.endpoints[key] = cache.templates[key] = Unusable("as good as any")
    return cache


def lanes_with(webhook_id: uuid.UUID, version_id: uuid.UUID) -> Lanes:
    lanes = Lanes()
    lanes.add(claimed(webhook_id)._replace(template_version_id=version_id))
    return lanes


def test_what_waits_to_be_sent_stays_when_there_is_too_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(endpoints, "_MOST_KEPT", 2)
    cache = cache_of(NEEDED, DONE, OTHER)

    cache.make_room(lanes_with(NEEDED, version_id=OTHER))

    assert cache.endpoints.keys() == {NEEDED}
    assert cache.templates.keys() == {OTHER}


def test_everything_stays_while_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "_MOST_KEPT", 3)
    cache = cache_of(NEEDED, DONE, OTHER)

    cache.make_room(Lanes())

    assert cache.endpoints.keys() == {NEEDED, DONE, OTHER}
