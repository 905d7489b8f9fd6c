"""Flat JSON for no-code tools: one level, snake_case, ISO 8601 with offset, true and false."""

import re

from apps.webhooks.formats import Format
from apps.webhooks.gallery.checks import JsonChecker, is_flag, is_moment, is_whole, matches
from apps.webhooks.gallery.entry import E164, Blank, Entry, Fill, step
from apps.webhooks.mapping import Problem, ValueType, WhenEmpty

_TEXTS = {
    "call_id": "callid",
    "direction": "direction",
    "status": "dialstatus",
    "caller_first_name": "ani_first_name",
    "caller_last_name": "ani_last_name",
    "caller_full_name": "ani_full_name",
    "caller_email": "ani_email",
    "caller_city": "ani_city",
    "caller_state": "ani_state",
    "caller_zip": "ani_zip",
    "caller_country": "ani_country_code",
    "campaign_name": "campaign_name",
    "treatment_name": "treatment_name",
    "option_name": "option_name",
    "location_name": "location_name",
    "location_id": "location_id",
    "recording_url": "rec_audiourl",
    "transcript": "transcript",
    "utm_source": "utm_source",
    "utm_medium": "utm_medium",
    "utm_campaign": "utm_campaign",
    "utm_content": "utm_content",
    "keyword": "keyword",
    "gclid": "gclid",
    "landing_page": "first_page_landed_on",
    "page_called_from": "page_converted_on",
}
_PHONES = {"caller_number": "ani", "tracking_number": "tracking"}
_TIMES = {"started_at": "call_start_time", "ended_at": "call_end_time"}
_WHOLE = {
    "duration_seconds": "dialed_time",
    "talk_seconds": "answered_time",
    "ring_count": "ring_count",
}
_FLAGS = {"is_repeat_caller": "repeat_caller", "is_valid_number": "ani_is_valid"}
_SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")


def find_problems(payload: bytes) -> list[Problem]:
    """Judge a flat object: no nesting, snake_case, times with offset, true or false, numbers."""
    call = JsonChecker(payload)
    if call.problems:
        return call.problems
    if not isinstance(call.root, dict):
        call.note("$", "This must be an object.")
        return call.problems
    for name, value in call.root.items():
        if not matches(_SNAKE_CASE)(name):
            call.note(f"$.{name}", "Names are in snake_case.")
        if isinstance(value, dict | list):
            call.note(f"$.{name}", "Nested values are hard to use in such tools.")
    call.need("$.call_id", bool, "the id of the call")
    for names, test, wanted in (
        (_TIMES, is_moment, "a time in ISO 8601 with offset, or null"),
        (_WHOLE, is_whole, "a whole number, or null"),
        (_FLAGS, is_flag, "true or false, or null"),
    ):
        for name in names:
            if call.root.get(name) is not None:
                call.need(f"$.{name}", test, wanted)
    return call.problems


def _sample() -> str:
    tokens = {**_TEXTS, **_PHONES, **_TIMES, **_WHOLE, **_FLAGS}
    return "{\n" + ",\n".join(f'  "{name}": "%{token}%"' for name, token in tokens.items()) + "\n}"


FLAT_JSON = Entry(
    key="flat_json",
    name="Flat JSON for Zapier, Make and the like",
    purpose="Every call with one flat level of fields, for a catch hook of a no-code tool.",
    format=Format.JSON,
    sample=_sample(),
    fills={
        **{f"$.{name}": Fill((E164,)) for name in _PHONES},
        **{
            f"$.{name}": Fill(
                (
                    step(
                        "date",
                        style="custom",
                        pattern="yyyy-MM-dd'T'HH:mm:ssXXX",
                        zone="location",
                    ),
                ),
                when_empty=WhenEmpty.NULL,
            )
            for name in _TIMES
        },
        **{f"$.{name}": Fill(when_empty=WhenEmpty.NULL, type=ValueType.NUMBER) for name in _WHOLE},
        **{f"$.{name}": Fill(when_empty=WhenEmpty.NULL, type=ValueType.BOOLEAN) for name in _FLAGS},
    },
    rules=find_problems,
    url="https://hooks.zapier.com/hooks/catch/YOUR/HOOK/",
    blanks=(
        Blank(
            "YOUR/HOOK",
            "Address of the catch hook",
            "the tool's own step Webhooks > Catch hook; replace the whole URL",
        ),
    ),
    notes=("Send a test first: such tools learn the fields from the first request.",),
)
