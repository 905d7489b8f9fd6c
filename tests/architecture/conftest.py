"""A row of everything in two accounts, made once for the tests of a module."""

from copy import deepcopy

import pytest

from tests.architecture.accounts import Rows, one_of_each


@pytest.fixture(scope="module")
def both(kept: None) -> tuple[Rows, Rows]:
    return one_of_each("Mine"), one_of_each("Theirs")


@pytest.fixture
def mine(both: tuple[Rows, Rows], db: None) -> Rows:
    """Rows of an account, which the test may change."""
    return deepcopy(both[0])


@pytest.fixture
def theirs(both: tuple[Rows, Rows], db: None) -> Rows:
    """Rows of another account, which the test may change."""
    return deepcopy(both[1])
