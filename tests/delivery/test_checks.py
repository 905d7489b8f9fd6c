"""The settings of delivery are checked when a process starts."""

import pytest
from django.core.checks import run_checks
from pytest_django.fixtures import Settings


@pytest.mark.parametrize(("lease_s", "warnings"), [(90, []), (66, []), (65, ["delivery.W001"])])
def test_a_lease_must_outlast_the_longest_request(
    settings: Settings, lease_s: int, warnings: list[str]
) -> None:
    settings.DELIVERY_LEASE_S = lease_s

    found = [str(message.id) for message in run_checks()]
    assert [each for each in found if each.startswith("delivery.")] == warnings
