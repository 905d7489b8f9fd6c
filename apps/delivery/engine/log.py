"""The lines that a worker writes of its tries: one each, as long as somebody could read them."""

import logging
from typing import Final

from apps.delivery.engine.claims import Claimed
from apps.delivery.engine.endpoints import Endpoint
from apps.delivery.retry import Verdict

logger = logging.getLogger(__name__)

# Lines a second. More than that takes longer to write than to send, and nobody reads it.
MOST_LINES_A_SECOND: Final = 100


class TryLog:
    """Writes a line for each try; over the limit it counts them, and says how many there were."""

    def __init__(self) -> None:
        self._is_on = logger.isEnabledFor(logging.INFO)
        self._second = 0
        self._lines = 0

    def tell(
        self,
        held: Claimed,
        endpoint: Endpoint | None,
        verdict: Verdict,
        total_ms: float,
        *,
        now: float,
    ) -> None:
        """Say what became of a try that ended just now."""
        if not self._is_on:
            return
        second = int(now)
        if second != self._second:
            self.close()
            self._second = second
        self._lines += 1
        if self._lines > MOST_LINES_A_SECOND:
            return
        logger.info(
            "%s %s → %s: %s (try %d, %d ms)",
            verdict.state.upper(),
            endpoint.name if endpoint else held.webhook_id,
            # The webhook's own URL: what is sent behind it may be personal data.
            endpoint.url if endpoint else "not sent",
            verdict.reason,
            held.attempt_count + 1,
            total_ms,
        )

    def close(self) -> None:
        """Say how many tries had no line of their own, and begin anew."""
        untold = self._lines - MOST_LINES_A_SECOND
        if untold > 0:
            logger.info("… and %d tries more in the same second", untold)
        self._lines = 0
