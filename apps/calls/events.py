"""What can happen to a call."""

from django.db import models


class EventType(models.TextChoices):
    """The types of events a phone platform posts."""

    STARTED = "call.started", "Started"
    RINGING = "call.ringing", "Ringing"
    ANSWERED = "call.answered", "Answered"
    OPTION_REACHED = "call.option_reached", "Option reached"
    LEG_ENDED = "call.leg_ended", "Leg ended"
    ENDED = "call.ended", "Ended"
    UPDATED = "call.updated", "Updated"
    RECORDING_READY = "recording.ready", "Recording ready"
    TRANSCRIPT_READY = "transcript.ready", "Transcript ready"


class CallStatus(models.TextChoices):
    """How a call went; empty while it is under way."""

    ANSWERED = "answered", "Answered"
    NO_ANSWER = "no_answer", "No answer"
    BUSY = "busy", "Busy"
    IVR = "ivr", "Menu only"
    FAILED = "failed", "Failed"
    VOICEMAIL = "voicemail", "Voicemail"


class Timing(models.TextChoices):
    """The moments of a call that webhooks are sent at."""

    BEGIN = "begin", "Begin of the call"
    END = "end", "End of the call"
    UPDATED = "updated", "When the call is updated"


# The first of these to arrive begins a call. A call that is only ever reported as ended has no
# begin to tell of.
BEGINNINGS = frozenset(
    {EventType.STARTED, EventType.RINGING, EventType.ANSWERED, EventType.OPTION_REACHED}
)
UPDATES = frozenset({EventType.UPDATED, EventType.RECORDING_READY, EventType.TRANSCRIPT_READY})
