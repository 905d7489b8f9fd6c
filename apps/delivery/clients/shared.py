"""The session of this process for requests that somebody waits for."""

import threading
from functools import lru_cache

from django.conf import settings

from apps.common.egress import EgressPolicy
from apps.delivery.clients.waiting_client import WaitingSession, waiting_session

_making = threading.Lock()


def shared_session() -> WaitingSession:
    """Return the session, for the policy that holds now."""
    with _making:
        return _session_of(tuple(settings.EGRESS_ALLOW), settings.EGRESS_PROXY)


@lru_cache(maxsize=2)
def _session_of(allowed: tuple[str, ...], proxy: str) -> WaitingSession:
    return waiting_session(EgressPolicy.from_strings(allowed, proxy))
