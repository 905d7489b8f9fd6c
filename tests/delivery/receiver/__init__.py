"""A local HTTP receiver that behaves as badly as its path says.

Plain sockets and bytes, no HTTP library: what it sends is exactly what stands here.
"""

from tests.delivery.receiver.answers import OK, always, response
from tests.delivery.receiver.behaviours import BEHAVIOURS
from tests.delivery.receiver.requests import Received, Receiver
from tests.delivery.receiver.server import running_receiver

__all__ = [
    "BEHAVIOURS",
    "OK",
    "Received",
    "Receiver",
    "always",
    "response",
    "running_receiver",
]
