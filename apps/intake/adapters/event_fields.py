"""The fields of an event that a callback of any platform can fill. Pure.

Their meaning and limits are those of the event API (apps/intake/events.py, docs/api.md).
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How the text of a callback becomes the value of a field."""

    TEXT = "text"
    PHONE = "phone"
    TIME = "time"
    SECONDS = "seconds"
    FLAG = "flag"
    TYPE = "type"
    STATUS = "status"
    DIRECTION = "direction"


@dataclass(frozen=True, slots=True)
class EventField:
    """A field by its name, `recording.url` for one inside another.

    `tokens` are those of whose names the field is known by, `names` what else platforms call it.
    """

    name: str
    label: str
    kind: Kind = Kind.TEXT
    tokens: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    help: str = ""


EVENT_FIELDS = (
    EventField(
        "type",
        "What happened",
        Kind.TYPE,
        names=("event", "event type", "type", "event name", "call status", "state", "action"),
        help="Needed. Below, say which values mean what.",
    ),
    EventField(
        "call_id",
        "Call id",
        tokens=("callid",),
        names=("uuid", "call uuid", "call", "conversation uuid", "call session id"),
        help="Needed. The platform's id of the call, the same in all its callbacks.",
    ),
    EventField(
        "id",
        "Event id",
        names=("event id", "message id", "notification id", "id"),
        help="Empty: two callbacks with the same content count as one.",
    ),
    EventField(
        "occurred_at",
        "When it happened",
        Kind.TIME,
        names=("timestamp", "time", "event time", "occurred at", "created at", "event timestamp"),
        help="Empty: when the callback comes in.",
    ),
    EventField(
        "tracking_number",
        "Number that was dialled",
        Kind.PHONE,
        tokens=("tracking",),
        names=("to", "called", "callee", "dnis", "did"),
        help="One of your tracking numbers; it tells the location.",
    ),
    EventField(
        "location", "Location", names=("location", "location id", "store id"), help="Its id."
    ),
    EventField("from", "Caller's number", Kind.PHONE, tokens=("ani",), names=("caller",)),
    EventField("target", "Number put through to", Kind.PHONE, tokens=("target",)),
    EventField("direction", "Direction", Kind.DIRECTION, tokens=("direction",)),
    EventField(
        "status",
        "How it went",
        Kind.STATUS,
        tokens=("dialstatus",),
        names=("disposition", "status", "call status", "result", "outcome"),
    ),
    EventField("started_at", "Start", Kind.TIME, tokens=("call_start_time",)),
    EventField("answered_at", "Answer", Kind.TIME, names=("answered at", "answer time")),
    EventField("ended_at", "End", Kind.TIME, tokens=("call_end_time",)),
    EventField("duration_s", "Duration", Kind.SECONDS, tokens=("dialed_time",)),
    EventField("talk_s", "Talk time", Kind.SECONDS, tokens=("answered_time",)),
    EventField("ring_count", "Ring count", Kind.SECONDS, tokens=("ring_count",)),
    EventField("recording.url", "Recording", tokens=("rec_audiourl",)),
    EventField(
        "recording.duration_s",
        "Duration of the recording",
        Kind.SECONDS,
        tokens=("recording_duration",),
    ),
    EventField("transcript", "Transcript", tokens=("transcript",)),
    EventField("option", "Option reached", tokens=("option_key",), names=("digits", "dtmf")),
    EventField("treatment", "Call treatment", tokens=("treatment_name",)),
    EventField("campaign", "Campaign", tokens=("campaign_name",)),
    EventField("session_id", "Session id", tokens=("session_id",)),
    EventField("repeat_caller", "Repeat caller", Kind.FLAG, tokens=("repeat_caller",)),
    EventField("caller.full_name", "Caller's full name", tokens=("ani_full_name",)),
    EventField("caller.first_name", "Caller's first name", tokens=("ani_first_name",)),
    EventField("caller.last_name", "Caller's last name", tokens=("ani_last_name",)),
    EventField("caller.email", "Caller's e-mail", tokens=("ani_email",)),
    EventField("caller.city", "Caller's city", tokens=("ani_city",)),
    EventField("caller.state", "Caller's state", tokens=("ani_state",)),
    EventField("caller.zip", "Caller's ZIP code", tokens=("ani_zip",)),
)
BY_NAME = {field.name: field for field in EVENT_FIELDS}
