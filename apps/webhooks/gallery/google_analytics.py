"""Google Analytics 4: a call as an event, over the Measurement Protocol."""

import re

from apps.webhooks.formats import Format
from apps.webhooks.gallery.checks import JsonChecker, is_number, is_text, is_whole, matches
from apps.webhooks.gallery.entry import Blank, Entry, Fill, at_most, omitted, step
from apps.webhooks.mapping import Problem, ValueType

_SAMPLE = """{
  "client_id": "%analytics_client_id%",
  "timestamp_micros": "%call_start_time%",
  "events": [
    {
      "name": "phone_call",
      "params": {
        "session_id": "%session_id%",
        "engagement_time_msec": "%answered_time%",
        "source": "%utm_source%",
        "medium": "%utm_medium%",
        "campaign": "%utm_campaign%",
        "page_location": "%page_converted_on%",
        "call_id": "%callid%",
        "call_outcome": "%dialstatus%",
        "call_campaign": "%campaign_name%"
      }
    }
  ]
}"""
_EVENT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_MOST_EVENTS = 25
_MOST_PARAMETERS = 25
_LONGEST_VALUE = 100
_LONGEST = {"page_location": 1_000, "page_referrer": 420, "page_title": 300}
_MOST_BYTES = 130_000
_SHORTEST_MICROSECONDS = 10**15


def find_problems(payload: bytes) -> list[Problem]:
    """Judge a request by the documented limits; Google itself answers 204 to anything."""
    hit = JsonChecker(payload)
    if hit.problems:
        return hit.problems
    if len(payload) > _MOST_BYTES:
        hit.note("$", f"Google takes at most {_MOST_BYTES:,} bytes.")
    hit.need("$.client_id", is_text, "the id of a browser")
    hit.allow(
        "$.timestamp_micros",
        lambda value: is_whole(value) and value >= _SHORTEST_MICROSECONDS,
        "a number of microseconds since 1970",
    )
    hit.need(
        "$.events",
        lambda value: isinstance(value, list) and 0 < len(value) <= _MOST_EVENTS,
        f"a list of 1 to {_MOST_EVENTS} events",
    )
    for index in range(len(hit.items("$.events"))):
        _judge_event(hit, f"$.events[{index}]")
    return hit.problems


def _judge_event(hit: JsonChecker, path: str) -> None:
    hit.need(
        f"{path}.name",
        matches(_EVENT_NAME),
        "a name of at most 40 letters, digits and underscores that begins with a letter",
    )
    hit.allow(f"{path}.params", lambda value: isinstance(value, dict), "an object")
    parameters = hit.at(f"{path}.params")
    if not isinstance(parameters, dict):
        return
    if len(parameters) > _MOST_PARAMETERS:
        hit.note(f"{path}.params", f"An event has at most {_MOST_PARAMETERS} parameters.")
    for name, value in parameters.items():
        place = f"{path}.params.{name}"
        most = _LONGEST.get(name, _LONGEST_VALUE)
        if not matches(_EVENT_NAME)(name):
            hit.note(place, "A name has at most 40 letters, digits and underscores.")
        if isinstance(value, str) and len(value) > most:
            hit.note(place, f"Google cuts values off behind {most} characters.")
        elif not isinstance(value, str) and not is_number(value):
            hit.note(place, "A value is text or a number.")


_PARAMETERS = "$.events[0].params"
GOOGLE_ANALYTICS = Entry(
    key="google_analytics_event",
    name="Google Analytics 4 event",
    purpose="An event phone_call in Google Analytics, in the web session that led to the call.",
    format=Format.JSON,
    sample=_SAMPLE,
    fills={
        "$.client_id": Fill(default="unknown"),
        "$.timestamp_micros": omitted(step("date", style="unix_us"), type=ValueType.NUMBER),
        f"{_PARAMETERS}.session_id": omitted(at_most(_LONGEST_VALUE)),
        # Zero would keep the event out of some reports.
        f"{_PARAMETERS}.engagement_time_msec": Fill(
            (step("map", values={"0": ""}), step("milliseconds")),
            default="1",
            type=ValueType.NUMBER,
        ),
        f"{_PARAMETERS}.source": omitted(at_most(_LONGEST_VALUE)),
        f"{_PARAMETERS}.medium": omitted(at_most(_LONGEST_VALUE)),
        f"{_PARAMETERS}.campaign": omitted(at_most(_LONGEST_VALUE)),
        f"{_PARAMETERS}.page_location": omitted(at_most(_LONGEST["page_location"])),
        f"{_PARAMETERS}.call_id": omitted(at_most(_LONGEST_VALUE)),
        f"{_PARAMETERS}.call_outcome": omitted(at_most(_LONGEST_VALUE)),
        f"{_PARAMETERS}.call_campaign": omitted(at_most(_LONGEST_VALUE)),
    },
    rules=find_problems,
    url=(
        "https://www.google-analytics.com/mp/collect"
        "?measurement_id=G-XXXXXXXXXX&api_secret=YOUR-API-SECRET"
    ),
    blanks=(
        Blank(
            "G-XXXXXXXXXX", "Measurement ID", "Admin > Data streams > the web stream of the site"
        ),
        Blank(
            "YOUR-API-SECRET",
            "API secret",
            "the same page > Measurement Protocol API secrets; anybody who has it can send events",
        ),
    ),
    notes=(
        "Google answers 204 whatever it gets; look at Realtime to see whether the event came in.",
        "For the right session the platform has to report the browser's client id"
        " (visitor.ga_client_id) and Google's session id; without them the call counts as a new"
        " user.",
        "Google takes events of the last 72 hours only.",
    ),
)
