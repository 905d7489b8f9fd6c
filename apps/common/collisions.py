"""Two who change the same at the same moment: whoever comes second is told, and saves nothing."""

import logging

from django.db import DatabaseError
from psycopg.errors import (
    DeadlockDetected,
    ForeignKeyViolation,
    InsufficientPrivilege,
    UniqueViolation,
)

logger = logging.getLogger(__name__)

# Somebody has made the same; deleted what a row points at, or made what points at a row that is to
# be deleted, both told at the end of a transaction; or waits for what is held here.
_COLLISIONS = (UniqueViolation, ForeignKeyViolation, DeadlockDetected)
# The function of PostgreSQL that refuses to write rows which have no place behind the wall.
_WALL = "ExecWithCheckOptions"


def is_collision(error: Exception) -> bool:
    """Tell whether somebody else has just made, changed or deleted what was to be saved.

    The wall lets no row point at one that is gone, as that could be of another account. It is told
    in the log: nothing else gets as far as there.
    """
    if type(error) is DatabaseError:
        # Django's own: the row that was to be changed is gone.
        return True
    cause = error.__cause__ if isinstance(error, DatabaseError) else None
    if isinstance(cause, InsufficientPrivilege) and cause.diag.source_function == _WALL:
        logger.warning("What a row points at is gone, or of another account: %s", cause)
        return True
    return isinstance(cause, _COLLISIONS)
