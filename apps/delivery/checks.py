"""System checks of the settings that this room reads."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks

from apps.delivery.engine.claims import LEASE_MARGIN_S

_LONGEST_TIMEOUT_S = 60


def check_lease(
    app_configs: Sequence[AppConfig] | None = None, **options: Any
) -> list[checks.CheckMessage]:
    """Warn of a lease that is shorter than the longest request, which then is never begun."""
    shortest = _LONGEST_TIMEOUT_S + LEASE_MARGIN_S
    if shortest < settings.DELIVERY_LEASE_S:
        return []
    return [
        checks.Warning(
            f"DELIVERY_LEASE_S is {settings.DELIVERY_LEASE_S}: webhooks with a longer time-out"
            " than that are never sent.",
            hint=f"Set it to more than {shortest:g}.",
            id="delivery.W001",
        )
    ]
