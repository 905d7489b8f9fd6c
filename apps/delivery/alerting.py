"""When people are told of an endpoint that fails, and when it is switched off. Pure: no clock.

The figures are those of docs/delivery.md.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

DISABLE_AFTER: Final = timedelta(days=5)
# Two failures soon after each other say little about the days before.
MIN_SPREAD: Final = timedelta(hours=12)
# A row of failures is told of when it lasts, or when the breaker has opened.
TELL_AFTER: Final = timedelta(minutes=5)


class Rung(StrEnum):
    """What an alert is about; each is told once for each time that an endpoint fails."""

    FAILING = "failing"
    HALF = "half"
    SEVENTY = "seventy"
    NINETY = "ninety"
    DISABLED = "disabled"
    RECOVERED = "recovered"
    # No step on that way: deliveries were given up, which says nothing about the endpoint.
    LOST = "lost"


_SHARES: Final = ((0.9, Rung.NINETY), (0.7, Rung.SEVENTY), (0.5, Rung.HALF))


def rung(failing_since: datetime, now: datetime, *, is_open: bool) -> Rung | None:
    """Return how far on the way to being switched off an endpoint is; None for not to be told."""
    lasted = now - failing_since
    for share, reached in _SHARES:
        if lasted >= share * DISABLE_AFTER:
            return reached
    return Rung.FAILING if is_open or lasted >= TELL_AFTER else None


def is_hopeless(failing_since: datetime, last_failure_at: datetime, now: datetime) -> bool:
    """Tell whether there was nothing but failures for so long that it is to be switched off."""
    return now - failing_since >= DISABLE_AFTER and last_failure_at - failing_since >= MIN_SPREAD
