"""What happened to a call, in order, as people read it."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from apps.calls.events import CallStatus, EventType
from apps.calls.models import Call

_HOW_IT_WENT = dict(CallStatus.choices)


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. `tone` colours it, as labels of lists are; "" is not a state."""

    at: dt.datetime
    title: str
    detail: str = ""
    tone: str = ""
    link: str = ""
    rank: int = 0


def events_of(call: Call) -> Iterable[Moment]:
    """Tell of each event, with what it says first of all."""
    for event in call.events.defer("snapshot"):
        facts = event.facts
        match event.type:
            case EventType.OPTION_REACHED:
                option = facts.get("option") or {}
                detail = " = ".join(str(option[key]) for key in ("key", "label") if option.get(key))
            case EventType.ENDED:
                detail = _HOW_IT_WENT.get(facts.get("status"), "")
            case _:
                detail = ""
        yield Moment(at=event.occurred_at, title=event.get_type_display(), detail=detail)
