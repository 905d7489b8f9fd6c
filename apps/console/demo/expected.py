"""What every webhook of the demo must receive, worked out from the calls alone. Pure.

The rules stand here once more, in the words of the business, and share nothing with the code that
they judge: no matching, no snapshots, no templates. A payload shows what had been reported by then
and happened no later than its event.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree

from apps.console.demo import world
from apps.console.demo.calls import Call, Event, Facts

Payload = dict[str, Any]
_UPDATES = frozenset({"call.updated", "recording.ready", "transcript.ready"})
_OUTCOMES = {
    "answered": "ANSWER",
    "no_answer": "NOANSWER",
    "busy": "BUSY",
    "voicemail": "VOICEMAIL",
    "ivr": "IVR",
}


@dataclass(frozen=True, slots=True)
class Expected:
    """One delivery that must arrive: where, of which call, saying what."""

    path: str
    call_id: str
    payload: Payload


def expected_of(call: Call) -> Iterator[Expected]:
    """Yield the deliveries that a call must cause."""
    pressed: set[str] = set()
    has_begun = has_ended = False
    for number, event in enumerate(call.arrivals, start=1):
        is_update = event.kind in _UPDATES
        begins = not has_begun and event.kind != "call.ended" and not is_update
        ends = not has_ended and event.kind == "call.ended"
        has_begun |= begins
        has_ended |= ends
        option = event.tells.get("option", "")
        if option in pressed:
            option = ""
        pressed.add(option)
        wanted = _wanted(
            call, option=option, pressed=pressed, begins=begins, ends=ends, is_update=is_update
        )
        known = _known(call.arrivals[:number], event)
        for path in wanted:
            yield Expected(path, call.id, _PAYLOADS[path](call, known))


def read_payload(body: str) -> Payload:
    """Return an XML body in the form of the payloads here: texts by path and attributes.

    Raises ValueError for a place that comes twice.
    """
    root = etree.fromstring(body.encode(), etree.XMLParser(resolve_entities=False))
    payload: Payload = {}
    _flatten(root, "", payload)
    return payload


def _wanted(
    call: Call, *, option: str, pressed: set[str], begins: bool, ends: bool, is_update: bool
) -> list[str]:
    """Return the paths that an event is told to; `option` is what was pressed first with it."""
    match call.client.name:
        case world.ELM_STREET:
            rules = {
                world.SCREEN_POP_PATH: option == "1",
                world.SALES_REPORT_PATH: ends and "1" in pressed,
                world.CRM_LEAD_PATH: ends and call.campaign is not None,
                world.CALL_LOG_PATH: ends,
                world.RECORDINGS_PATH: is_update and call.place.name == world.DOWNTOWN,
            }
        case world.CLINIC:
            rules = {world.CLINIC_PATH: ends}
        case _:
            rules = {world.DISPATCH_PATH: begins or ends or is_update}
    return [path for path, applies in rules.items() if applies]


def _known(arrived: list[Event], event: Event) -> Facts:
    known: Facts = {}
    for each in sorted(arrived, key=lambda each: each.at):
        if each.at <= event.at:
            known |= each.tells
    return known


def _call_log(call: Call, known: Facts) -> Payload:
    return {
        "call": {
            "id": call.id,
            "tracking_number": _tracking(call),
            "started_at": known.get("started_at", ""),
            "ended_at": known["ended_at"],
            "outcome": _OUTCOMES[known["status"]],
            "duration_s": known["duration_s"],
            "talk_s": known["talk_s"],
            "rings": known.get("ring_count", ""),
        },
        "caller": {
            "number": _caller(known),
            "name": f"{_first(known)} {_last(known)}",
            "city": known.get("caller.city", ""),
        },
        "campaign": {
            "name": call.campaign.name if call.campaign else "",
            "tags": dict(call.campaign.tags) if call.campaign else {},
        },
        "visit": {
            "source": known.get("visitor.utm_source", ""),
            "campaign": known.get("visitor.utm_campaign", ""),
            "gclid": known.get("visitor.gclid", ""),
            "page": known.get("visitor.page_converted_on", ""),
        },
        "location": {
            "name": call.place.name,
            "id": call.place.client_location_id,
            "account": call.place.client_account_id,
        },
    }


def _screen_pop(call: Call, known: Facts) -> Payload:
    return {
        "call_id": call.id,
        "caller": _caller(known),
        "first_name": _first(known),
        "last_name": _last(known),
        "says": f"{_first(known)} calls {call.place.name}",
        "vehicle": {name: known.get(f"vehicle.{name}", "") for name in ("year", "make", "model")},
    }


def _recording(call: Call, known: Facts) -> Payload:
    return {
        "call_id": call.id,
        "recording": known.get("recording.url", ""),
        "disposition": known.get("custom.disposition", ""),
    }


def _agency_report(call: Call, known: Facts) -> Payload:
    return {
        "id": call.id,
        "client": call.place.client_account_id,
        "place": call.place.name,
        "from": _caller(known),
        "outcome": _OUTCOMES[known["status"]],
        "talk_s": known["talk_s"],
        "source": known.get("visitor.utm_source", ""),
    }


def _adf_lead(call: Call, known: Facts) -> Payload:
    lead = "/adf/prospect"
    vehicle, contact = f"{lead}/vehicle", f"{lead}/customer/contact"
    campaign = call.campaign.name if call.campaign else ""
    return {
        f"{lead}@status": "new",
        f"{lead}/id@sequence": "1",
        f"{lead}/id@source": "Hookline",
        f"{lead}/id": call.id,
        f"{lead}/requestdate": known.get("started_at", ""),
        f"{vehicle}@interest": "buy",
        f"{vehicle}@status": "new",
        **{
            f"{vehicle}/{name}": known.get(f"vehicle.{name}", "")
            for name in ("year", "make", "model", "vin")
        },
        f"{contact}/name[first]": _first(known),
        f"{contact}/name[last]": _last(known),
        f"{contact}/phone@type": "voice",
        f"{contact}/phone": _caller(known),
        f"{lead}/customer/comments": (
            f"Call to {call.place.name} through {campaign}, {known['duration_s']} s"
        ),
        f"{lead}/vendor/id@source": "Client",
        f"{lead}/vendor/id": call.place.client_location_id,
        f"{lead}/vendor/vendorname": call.place.name,
        f"{lead}/vendor/contact/name[full]": "Sales",
        f"{lead}/vendor/contact/phone@type": "voice",
        f"{lead}/vendor/contact/phone": _tracking(call),
    }


def _dispatch(call: Call, known: Facts) -> Payload:
    return {
        "/job/call@id": call.id,
        "/job/call@line": _tracking(call),
        "/job/call": "",
        "/job/customer@phone": _caller(known),
        "/job/customer@first": _first(known),
        "/job/customer": f"{_first(known)} {_last(known)}",
        "/job/depot": call.place.name,
        "/job/ended": known.get("ended_at", ""),
        "/job/recording": known.get("recording.url", ""),
    }


_PAYLOADS: dict[str, Callable[[Call, Facts], Payload]] = {
    world.SCREEN_POP_PATH: _screen_pop,
    world.SALES_REPORT_PATH: _call_log,
    world.CRM_LEAD_PATH: _adf_lead,
    world.CALL_LOG_PATH: _call_log,
    world.RECORDINGS_PATH: _recording,
    world.CLINIC_PATH: _agency_report,
    world.DISPATCH_PATH: _dispatch,
}


def _caller(known: Facts) -> str:
    """Return the caller as Americans write a number, or the word anonymous."""
    return known["from"].removeprefix("+1")


def _tracking(call: Call) -> str:
    return call.line.number.removeprefix("+1") if call.line else ""


def _first(known: Facts) -> str:
    return known.get("caller.first_name", "")


def _last(known: Facts) -> str:
    return known.get("caller.last_name", "")


def _flatten(element: Any, above: str, payload: Payload) -> None:
    """Note the texts of an element and of all in it; its `part` tells apart what is named alike."""
    part = element.get("part")
    path = f"{above}/{element.tag}" + (f"[{part}]" if part else "")
    found = {f"{path}@{name}": value for name, value in element.items() if name != "part"}
    children = list(element.iterchildren(etree.Element))
    if not children:
        found[path] = element.text or ""
    if found.keys() & payload.keys():
        raise ValueError(f"{path} comes twice.")
    payload.update(found)
    for child in children:
        _flatten(child, path, payload)
