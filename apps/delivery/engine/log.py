"""The lines that a worker writes of its tries: one each, as long as somebody could read them."""

import logging

from apps.common.logs import LineLimit
from apps.delivery.engine.claims import Claimed
from apps.delivery.engine.endpoints import Endpoint
from apps.delivery.retry import Verdict

logger = logging.getLogger(__name__)


class TryLog:
    """Writes a line for each try; over the limit it counts them, and says how many there were."""

    def __init__(self) -> None:
        self._limit = LineLimit(logger, "tries")

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
        if not self._limit.has_room(now):
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
        """Say how many tries had no line of their own."""
        self._limit.close()
