"""Who acts, and from where: what the audit log keeps of the sender of a request. Pure."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum

import orjson


class ActorKind(StrEnum):
    """What acts."""

    USER = "user"
    KEY = "key"
    # Nobody who is logged in, as whoever tries a password.
    VISITOR = "visitor"
    # Hookline itself: workers, the sweep, management commands.
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Origin:
    """An actor, the way in (admin or api) and the request it came by."""

    kind: ActorKind = ActorKind.SYSTEM
    actor_id: uuid.UUID | None = None
    label: str = "Hookline"
    via: str = ""
    ip: str | None = None
    user_agent: str = ""
    request_id: str = ""

    def as_json(self) -> str:
        """Return the form in which the database gets it."""
        return orjson.dumps(self).decode()


SYSTEM = Origin()
_current: ContextVar[Origin] = ContextVar("origin", default=SYSTEM)


def current_origin() -> Origin:
    """Return who acts here and now."""
    return _current.get()


@contextmanager
def acting(origin: Origin) -> Iterator[None]:
    """Let the block act for somebody; scopes of `apps.common.tenancy` tell the database."""
    token = _current.set(origin)
    try:
        yield
    finally:
        _current.reset(token)
