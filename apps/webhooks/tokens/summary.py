"""The call in a sentence or two."""

from typing import Final

from apps.webhooks.tokens.call_readers import full_name
from apps.webhooks.tokens.readers import first_of, last_option, phone, text
from apps.webhooks.tokens.values import Snapshot, Value, as_text

_OUTCOMES: Final = {
    "no_answer": "Not answered.",
    "busy": "Busy.",
    "ivr": "Ended in the menu.",
    "failed": "Failed.",
    "voicemail": "Went to voicemail.",
}

_caller_number = phone("from")
_place = first_of(text("location", "name"), phone("tracking_number"), phone("to"))
_campaign = text("campaign", "name")
_option = last_option("label")
_talk_s = text("talk_s")


def call_summary(snapshot: Snapshot) -> Value:
    """Write who called where, how they came and what became of it; None for an empty call."""
    sentences = [_call(snapshot)]
    if campaign := as_text(_campaign(snapshot)):
        sentences.append(f"Campaign: {campaign}.")
    if option := as_text(_option(snapshot)):
        sentences.append(f"Option: {option}.")
    sentences.append(_outcome(snapshot))
    return " ".join(filter(None, sentences)) or None


def _call(snapshot: Snapshot) -> str:
    name, number = as_text(full_name(snapshot)), as_text(_caller_number(snapshot))
    place = as_text(_place(snapshot))
    if not (name or number or place):
        return ""
    caller = f"{name} ({number})" if name and number else name or number or "an unknown caller"
    direction = "Outbound" if snapshot.get("direction") == "outbound" else "Inbound"
    return f"{direction} call from {caller}{f' to {place}' if place else ''}."


def _outcome(snapshot: Snapshot) -> str:
    status = snapshot.get("status")
    if status != "answered":
        return _OUTCOMES.get(status, "") if isinstance(status, str) else ""
    seconds = as_text(_talk_s(snapshot))
    return f"Answered, talked for {seconds} seconds." if seconds else "Answered."
