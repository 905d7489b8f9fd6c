"""What an adapter makes of a callback."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class UnreadableCallback(ValueError):
    """A callback that is not what its source says; the message is for the account's admins."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A callback that was read.

    `about` says in a few words what it tells, `event` is the body of an event as the API takes it,
    None where nothing follows from it; `ignored` then says why. `leg_id` is the id under which the
    platform knows the leg that it is about, where that is not the call itself.
    """

    about: str
    call_id: str
    event: Mapping[str, Any] | None
    ignored: str = ""
    leg_id: str = ""

    @property
    def names_place(self) -> bool:
        """Whether it says where the call came in."""
        return self.event is not None and bool(
            self.event.get("tracking_number") or self.event.get("location")
        )
