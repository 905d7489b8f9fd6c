"""A row of everything in two accounts, made once for the tests of a module."""

from copy import copy

import pytest

from tests.architecture.accounts import Rows, one_of_each


@pytest.fixture(scope="module")
def both(kept: None) -> tuple[Rows, Rows]:
    return one_of_each("Mine"), one_of_each("Theirs")


@pytest.fixture
def mine(both: tuple[Rows, Rows], db: None) -> Rows:
    """Rows of an account, which the test may change."""
    return own(both[0])


@pytest.fixture
def theirs(both: tuple[Rows, Rows], db: None) -> Rows:
    """Rows of another account, which the test may change."""
    return own(both[1])


def own(rows: Rows) -> Rows:
    """Return the same rows for one test: what it sets on them, the next one does not see."""
    return {model: copy(row) for model, row in rows.items()}
