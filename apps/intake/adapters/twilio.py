"""Twilio's callbacks: voice status, recording, transcription. Pure.

Parameters: twilio.com/docs/voice/twiml (request parameters), /voice/api/call-resource and
/recording (callbacks). A call is the leg that came in (or that was begun by API); the legs that it
is put through to name it as their parent, and ring, answer and end within it.
"""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from apps.common.phones import E164, is_withheld
from apps.intake.adapters.moments import read_moment, rfc3339
from apps.intake.adapters.reading import Reading, UnreadableCallback

Parameters = Mapping[str, str]

STATUSES = (
    "queued",
    "initiated",
    "ringing",
    "in-progress",
    "completed",
    "busy",
    "failed",
    "no-answer",
    "canceled",
)
_UNDER_WAY = frozenset({"queued", "initiated", "ringing"})
_OUTCOMES = {
    "completed": "answered",
    "busy": "busy",
    "failed": "failed",
    "no-answer": "no_answer",
    "canceled": "no_answer",
}
# What else Twilio shows where the caller's number is withheld: such words on a phone's keys.
_WITHHELD = frozenset(
    {
        "blocked",
        "+266696687",
        "+7378742833",
        "+86282452253",
        "+8656696",
        "+2562533",
    }
)
_E164 = re.compile(E164)
_SIP_NUMBER = re.compile(r"sips?:(\+?[0-9]{7,15})@")
# What an event has under a name of its own, or what would say the same twice.
_KNOWN = frozenset(
    {
        "AccountSid",
        "ApiVersion",
        "Called",
        "CalledCity",
        "CalledCountry",
        "CalledState",
        "CalledZip",
        "Caller",
        "CallerCity",
        "CallerCountry",
        "CallerName",
        "CallerState",
        "CallerZip",
        "CallDuration",
        "CallSid",
        "CallStatus",
        "CallbackSource",
        "Direction",
        "From",
        "FromCity",
        "FromCountry",
        "FromState",
        "FromZip",
        "ParentCallSid",
        "RecordingDuration",
        "RecordingUrl",
        "SequenceNumber",
        "Timestamp",
        "To",
        "TranscriptionText",
    }
)


def read(form: Parameters, *, place: Parameters, now: dt.datetime) -> Reading:
    """Read one callback.

    `form` are its parameters. `place` are those of its URL: `number` or `location` say where the
    call came in, which the callbacks of a leg do not. Raises UnreadableCallback.
    """
    call_sid = form.get("CallSid", "").strip()
    if not call_sid:
        raise UnreadableCallback("There is no CallSid in it: this is no callback about a call.")
    if "TranscriptionStatus" in form or "TranscriptionText" in form:
        return _transcription(form, call_sid, now)
    if "RecordingStatus" in form or "RecordingSid" in form:
        return _recording(form, call_sid, now)
    return _voice(form, call_sid, place, now)


def event_id(call_sid: str, status: str) -> str:
    """Return the id of the event that a leg's status becomes."""
    return f"twilio:{call_sid}:{status}"


def _voice(form: Parameters, call_sid: str, place: Parameters, now: dt.datetime) -> Reading:
    status = form.get("CallStatus", "")
    if status not in STATUSES:
        raise UnreadableCallback(f"“{status[:40]}” is no CallStatus that is known here.")
    parent = form.get("ParentCallSid", "").strip()
    body = _basics(event_id(call_sid, status), parent or call_sid, form, now)
    leg: dict[str, Any]
    if parent:
        leg = _leg(form, status)
    else:
        leg = _call(form, status)
        _set(body, "from", _caller(form.get("From", "")))
        _set(body, "to", _number(form.get("To", "")))
        _set(body, "caller", _who(form))
    body |= leg
    _set(body, "tracking_number", _number(place.get("number", "")) or body.get("tracking_number"))
    _set(body, "location", place.get("location"))
    about = f"Leg {status}" if parent else f"Call {status}"
    return Reading(about, parent or call_sid, body, leg_id=call_sid if parent else "")


def _call(form: Parameters, status: str) -> dict[str, Any]:
    """What the leg that is the call itself says."""
    is_outbound = form.get("Direction", "inbound") != "inbound"
    ours = _number(form.get("From" if is_outbound else "To", ""))
    said: dict[str, Any] = {
        "direction": "outbound" if is_outbound else "inbound",
        "tracking_number": ours,
    }
    if status in _UNDER_WAY:
        return {"type": "call.started", **said}
    if status == "in-progress":
        # Of a call that came in, Twilio itself has answered; who is put through is another leg.
        return {"type": "call.answered" if is_outbound else "call.started", **said}
    # Whether somebody answered a call that came in is known from its legs.
    if is_outbound or status != "completed":
        said["status"] = _OUTCOMES[status]
    _set(said, "duration_s", _seconds(form.get("CallDuration", "")))
    return {"type": "call.ended", **said}


def _leg(form: Parameters, status: str) -> dict[str, Any]:
    """What a leg says that the call is put through to."""
    said: dict[str, Any] = {}
    _set(said, "target", _number(form.get("To", "")))
    if status in _UNDER_WAY:
        return {"type": "call.ringing", **said}
    if status == "in-progress":
        return {"type": "call.answered", **said}
    return {"type": "call.leg_ended", "status": _OUTCOMES[status], **said}


def _recording(form: Parameters, call_sid: str, now: dt.datetime) -> Reading:
    status = form.get("RecordingStatus", "completed")
    about = f"Recording {status}"
    url = form.get("RecordingUrl", "")
    if status != "completed" or not url:
        return Reading(about, call_sid, None, ignored="There is no recording to be had of it yet.")
    key = form.get("RecordingSid", "") or url
    body = _basics(event_id(key, status), call_sid, form, now)
    recording: dict[str, Any] = {"url": f"{url}.mp3", "wav_url": f"{url}.wav"}
    _set(recording, "duration_s", _seconds(form.get("RecordingDuration", "")))
    body |= {"type": "recording.ready", "recording": recording}
    return Reading(about, call_sid, body, leg_id=call_sid)


def _transcription(form: Parameters, call_sid: str, now: dt.datetime) -> Reading:
    status = form.get("TranscriptionStatus", "completed")
    about = f"Transcription {status}"
    text = form.get("TranscriptionText", "").strip()
    if status != "completed" or not text:
        return Reading(about, call_sid, None, ignored="There is no transcript in it.")
    key = form.get("TranscriptionSid", "") or form.get("RecordingSid", "") or call_sid
    body = _basics(event_id(key, "transcript"), call_sid, form, now)
    body |= {"type": "transcript.ready", "transcript": text}
    return Reading(about, call_sid, body, leg_id=call_sid)


def _basics(key: str, call_id: str, form: Parameters, now: dt.datetime) -> dict[str, Any]:
    moment = read_moment(form.get("Timestamp", ""), dt.UTC) or now
    body: dict[str, Any] = {"id": key, "call_id": call_id, "occurred_at": rfc3339(moment)}
    sequence = form.get("SequenceNumber", "")
    if sequence.isascii() and sequence.isdecimal():
        body["sequence"] = int(sequence[:18])
    custom = {name: value for name, value in form.items() if name not in _KNOWN and value}
    _set(body, "custom", custom)
    return body


def _who(form: Parameters) -> dict[str, str]:
    names = {
        "full_name": "CallerName",
        "city": "FromCity",
        "state": "FromState",
        "zip": "FromZip",
        "country_code": "FromCountry",
    }
    return {ours: form[theirs] for ours, theirs in names.items() if form.get(theirs)}


def _caller(text: str) -> str | None:
    is_hidden = is_withheld(text) or text.strip().lower() in _WITHHELD
    return "anonymous" if is_hidden else _number(text)


def _number(text: str) -> str | None:
    """The E.164 number of a text: itself, or inside a SIP address; a client has none.

    A plus in a query arrives as a blank, unless it was encoded.
    """
    text = text if not text.startswith(" ") else f"+{text.strip()}"
    if inside := _SIP_NUMBER.match(text):
        text = inside[1] if inside[1].startswith("+") else f"+{inside[1]}"
    return text if _E164.fullmatch(text) else None


def _seconds(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _set(body: dict[str, Any], name: str, value: object) -> None:
    if value not in (None, "", {}):
        body[name] = value
