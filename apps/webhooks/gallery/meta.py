"""Meta: a call as an offline conversion, over the Conversions API."""

from ipaddress import ip_address
from typing import Any

from apps.webhooks.formats import Format
from apps.webhooks.gallery.checks import JsonChecker, is_one_of, is_sha256, is_text, is_whole
from apps.webhooks.gallery.entry import Blank, Entry, Fill, omitted, step
from apps.webhooks.gallery.states import US_STATES
from apps.webhooks.mapping import Formatter, Problem, ValueType

_SAMPLE = """{
  "data": [
    {
      "event_name": "Contact",
      "event_time": "%call_start_time%",
      "event_id": "%callid%",
      "action_source": "phone_call",
      "user_data": {
        "ph": "%ani%",
        "em": "%ani_email%",
        "fn": "%ani_first_name%",
        "ln": "%ani_last_name%",
        "ct": "%ani_city%",
        "st": "%ani_state%",
        "zp": "%ani_zip%",
        "country": "%ani_country_code%",
        "external_id": "%analytics_client_id%",
        "fbc": "%fbc%",
        "fbp": "%fbp%",
        "client_ip_address": "%visitor_ip_address%",
        "client_user_agent": "%visitor_user_agent%"
      }
    }
  ]
}"""
_HASHED = ("ph", "em", "fn", "ln", "ct", "st", "zp", "country", "external_id")
_PLAIN = ("fbc", "fbp", "client_ip_address", "client_user_agent")
_SOURCES = (
    "phone_call",
    "website",
    "app",
    "email",
    "chat",
    "physical_store",
    "system_generated",
    "business_messaging",
    "other",
)
_MOST_EVENTS = 1_000


def find_problems(payload: bytes) -> list[Problem]:
    """Judge a request: each event whole, personal data hashed, the rest plain."""
    request = JsonChecker(payload)
    if request.problems:
        return request.problems
    request.need(
        "$.data",
        lambda value: isinstance(value, list) and 0 < len(value) <= _MOST_EVENTS,
        f"a list of 1 to {_MOST_EVENTS:,} events",
    )
    for index in range(len(request.items("$.data"))):
        _judge_event(request, f"$.data[{index}]")
    return request.problems


def _judge_event(request: JsonChecker, path: str) -> None:
    request.need(f"{path}.event_name", is_text, "the name of an event, as Contact")
    request.need(
        f"{path}.event_time",
        lambda value: is_whole(value) and value < 10**10,
        "a number of seconds since 1970",
    )
    request.need(f"{path}.event_id", is_text, "an id, so that Meta counts the call once")
    request.need(f"{path}.action_source", is_one_of(*_SOURCES), f"one of {', '.join(_SOURCES)}")
    request.need(
        f"{path}.user_data", lambda value: isinstance(value, dict) and bool(value), "who it was"
    )
    request.only(f"{path}.user_data", (*_HASHED, *_PLAIN))
    for name in _HASHED:
        request.allow(f"{path}.user_data.{name}", is_sha256, "hashed with SHA-256")
    for name in ("fbc", "fbp", "client_user_agent"):
        request.allow(f"{path}.user_data.{name}", is_text, "text as it is, not hashed")
    request.allow(f"{path}.user_data.client_ip_address", _is_address, "an IP address, not hashed")


def _is_address(value: Any) -> bool:
    try:
        ip_address(str(value))
    except ValueError:
        return False
    return isinstance(value, str)


def _hashed(normalise: str, *before: Formatter) -> Fill:
    return omitted(*before, step("hash", normalise=normalise))


_USER = "$.data[0].user_data"
META = Entry(
    key="meta_conversion",
    name="Meta conversion",
    purpose="An offline conversion for ads on Facebook and Instagram; personal data goes hashed.",
    format=Format.JSON,
    sample=_SAMPLE,
    fills={
        "$.data[0].event_time": Fill((step("date", style="unix"),), type=ValueType.NUMBER),
        f"{_USER}.ph": _hashed("phone"),
        f"{_USER}.em": _hashed("text"),
        f"{_USER}.fn": _hashed("letters"),
        f"{_USER}.ln": _hashed("letters"),
        f"{_USER}.ct": _hashed("letters"),
        f"{_USER}.st": _hashed("letters", step("map", values=US_STATES)),
        f"{_USER}.zp": _hashed("letters"),
        f"{_USER}.country": _hashed("letters"),
        f"{_USER}.external_id": _hashed("text"),
        f"{_USER}.fbc": omitted(),
        f"{_USER}.fbp": omitted(),
        f"{_USER}.client_ip_address": omitted(),
        f"{_USER}.client_user_agent": omitted(),
    },
    rules=find_problems,
    url="https://graph.facebook.com/v21.0/YOUR-DATASET-ID/events?access_token=YOUR-ACCESS-TOKEN",
    blanks=(
        Blank("YOUR-DATASET-ID", "Dataset (pixel) ID", "Events Manager > Data sources > Settings"),
        Blank("YOUR-ACCESS-TOKEN", "Access token", "the same page > Conversions API"),
    ),
    notes=(
        "Numbers without a country code are taken for North American ones before hashing.",
        "Meta takes events of the last 7 days only.",
        "Ask your lawyers first: what is sent identifies callers to Meta, though it is hashed.",
    ),
)
