"""A receiver and drains for the tests that send."""

from collections.abc import Iterator

import pytest

from tests.delivery.receiver import Receiver, running_receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver whose paths behave as `tests.delivery.receiver` says."""
    with running_receiver() as receiver:
        yield receiver
