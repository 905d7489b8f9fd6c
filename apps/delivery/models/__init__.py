"""What is sent, every try of it, and how those who get it are doing."""

from apps.delivery.models.attempts import ERROR_LABELS, Attempt
from apps.delivery.models.deliveries import Delivery, DeliveryState
from apps.delivery.models.health import Alert, EndpointHealth
from apps.delivery.models.replays import Replay
from apps.delivery.models.turns import CallerTurn

__all__ = [
    "ERROR_LABELS",
    "Alert",
    "Attempt",
    "CallerTurn",
    "Delivery",
    "DeliveryState",
    "EndpointHealth",
    "Replay",
]
