"""HubSpot: a call in the timeline of a contact."""

from apps.webhooks.formats import Format
from apps.webhooks.gallery.checks import (
    JsonChecker,
    is_digits,
    is_e164,
    is_moment,
    is_one_of,
    is_text_of,
)
from apps.webhooks.gallery.entry import E164, NO_ANONYMOUS, Blank, Entry, Fill, omitted, step
from apps.webhooks.mapping import Problem

_SAMPLE = """{
  "properties": {
    "hs_timestamp": "%call_start_time%",
    "hs_call_title": "Call to %location_name%",
    "hs_call_body": "%call_summary%",
    "hs_call_direction": "%direction%",
    "hs_call_duration": "%dialed_time%",
    "hs_call_from_number": "%ani%",
    "hs_call_to_number": "%tracking%",
    "hs_call_recording_url": "%rec_audiourl%",
    "hs_call_status": "%dialstatus%"
  }
}"""
_STATUSES = {
    "ANSWER": "COMPLETED",
    "NOANSWER": "NO_ANSWER",
    "VOICEMAIL": "NO_ANSWER",
    "BUSY": "BUSY",
    "IVR": "COMPLETED",
    "FAILED": "FAILED",
}
_KNOWN_STATUSES = (
    "BUSY",
    "CALLING_CRM_USER",
    "CANCELED",
    "COMPLETED",
    "CONNECTING",
    "FAILED",
    "IN_PROGRESS",
    "NO_ANSWER",
    "QUEUED",
    "RINGING",
)
_LONGEST_BODY = 65_536


def find_problems(payload: bytes) -> list[Problem]:
    """Judge the properties of a call; HubSpot takes each of them as text."""
    call = JsonChecker(payload)
    if call.problems:
        return call.problems
    call.need("$.properties", lambda value: isinstance(value, dict), "an object")
    at = "$.properties.hs_"
    call.need(f"{at}timestamp", lambda v: is_moment(v) or is_digits(v), "a time (ISO 8601)")
    call.allow(f"{at}call_body", is_text_of(_LONGEST_BODY), "text of at most 65,536 characters")
    call.allow(f"{at}call_direction", is_one_of("INBOUND", "OUTBOUND"), "INBOUND or OUTBOUND")
    call.allow(f"{at}call_duration", is_digits, "milliseconds, as text")
    call.allow(f"{at}call_from_number", is_e164, "a phone number in E.164")
    call.allow(f"{at}call_to_number", is_e164, "a phone number in E.164")
    call.allow(
        f"{at}call_recording_url", lambda v: str(v).startswith("https://"), "an https address"
    )
    call.allow(
        f"{at}call_status", is_one_of(*_KNOWN_STATUSES), f"one of {', '.join(_KNOWN_STATUSES)}"
    )
    return call.problems


_AT = "$.properties.hs_"
HUBSPOT = Entry(
    key="hubspot_call",
    name="HubSpot call",
    purpose="A call on the timeline in HubSpot.",
    format=Format.JSON,
    sample=_SAMPLE,
    fills={
        f"{_AT}call_body": omitted(step("truncate", length=10_000), step("escape")),
        f"{_AT}call_direction": Fill((step("case", style="upper"),), default="INBOUND"),
        f"{_AT}call_duration": omitted(step("milliseconds")),
        f"{_AT}call_from_number": omitted(NO_ANONYMOUS, E164),
        f"{_AT}call_to_number": omitted(E164),
        f"{_AT}call_recording_url": omitted(),
        f"{_AT}call_status": omitted(step("map", values=_STATUSES, otherwise="COMPLETED")),
    },
    rules=find_problems,
    url="https://api.hubapi.com/crm/v3/objects/calls",
    headers=(("Authorization", "Bearer YOUR-ACCESS-TOKEN"),),
    blanks=(
        Blank(
            "YOUR-ACCESS-TOKEN",
            "Access token",
            "HubSpot > Settings > Integrations > Private apps, with the scope for contacts",
        ),
    ),
    notes=(
        "HubSpot plays a recording only from an https address.",
        "The call appears on the timeline of no contact by itself; a workflow in HubSpot can"
        " associate it by the number.",
    ),
)
