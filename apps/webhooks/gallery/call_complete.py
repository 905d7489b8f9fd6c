"""Call.Complete: a finished call as form or query, in the parameters of its own document."""

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qsl

from apps.common import phones
from apps.webhooks.formats import Format
from apps.webhooks.gallery.entry import E164, Entry, Fill, omitted, step
from apps.webhooks.gallery.parameters import ONLY_DYNAMIC
from apps.webhooks.mapping import Problem

DISPOSITIONS = ("ANSWERED", "NO ANSWER", "BUSY", "IVR", "FAILED")
TRAFFIC_TYPES = ("Campaign", "Direct", "Organic", "Referral", "Unattributed")

_SAMPLE = "&".join(
    (
        "Action=Webhook",
        "Event=Call.Complete",
        "Account.Sid=%account_sid%",
        "Property.Sid=%location_sid%",
        "Property.Name=%property_name%",
        "Property.Type=Site",
        "Call.Sid=%callid%",
        "Call.StartDate=%call_start_time%",
        "Call.From=%ani%",
        "Call.From.Country=%ani_country_code%",
        "Call.From.Region=%ani_state%",
        "Call.From.City=%ani_city%",
        "Call.To=%tracking%",
        "Call.To.Type=%phone_type%",
        "Call.To.Name=%phone_label%",
        "Call.Duration=%dialed_time%",
        "Call.Disposition=%dialstatus%",
        "Call.Recording.Uri=%rec_audiourl%",
        "Call.Endpoint=%target%",
        "Call.Survey.Type=%survey_type%",
        "Call.Survey.Value=%survey_value%",
        "Call.Survey.Custom1=%survey_custom_1%",
        "Call.Survey.Custom2=%survey_custom_2%",
        "Call.Survey.Custom3=%survey_custom_3%",
        "Call.Survey.UniqueCode=%survey_unique_code%",
        "Call.Prompts.Postcode=%entered_postcodes%",
        "Call.Prompts.Keys=%entered_keys%",
        "Attribution.Source=%utm_source%",
        "Attribution.Medium=%utm_medium%",
        "Attribution.Campaign=%utm_campaign%",
        "Attribution.Content=%utm_content%",
        "Session.Traffic.Type=%medium%",
        "Session.Keywords=%keyword%",
        "Session.ConversionUri=%page_converted_on%",
        "Session.LandingUri=%first_page_landed_on%",
        "Google.Analytics.ClientId=%visitor_ga_client_id%",
        "Google.AdWords.ClickId=%gclid%",
    )
)
_WHOLE = step("number", rounding="nearest")
_OF_SESSION = Fill(only_if=ONLY_DYNAMIC)
_FILLS = {
    "Call.StartDate": Fill((step("date", style="custom", pattern="yyyy-MM-dd HH:mm:ss"),)),
    "Call.From": Fill((E164,), default="anonymous"),
    "Call.To": Fill((E164,)),
    "Call.To.Type": Fill(default="Static"),
    "Call.Duration": Fill((_WHOLE,), default="0"),
    "Call.Disposition": Fill(
        (
            step(
                "map",
                values={
                    "ANSWER": "ANSWERED",
                    "NOANSWER": "NO ANSWER",
                    # It was put through, and only a machine answered.
                    "VOICEMAIL": "NO ANSWER",
                    "BUSY": "BUSY",
                    "IVR": "IVR",
                },
                otherwise="FAILED",
            ),
        ),
        default="NO ANSWER",
    ),
    "Call.Recording.Uri": omitted(),
    "Call.Endpoint": omitted(E164),
    "Call.Survey.Type": omitted(),
    "Call.Survey.Value": omitted(_WHOLE),
    "Call.Survey.Custom1": omitted(),
    "Call.Survey.Custom2": omitted(),
    "Call.Survey.Custom3": omitted(),
    "Call.Survey.UniqueCode": omitted(),
    "Call.Prompts.Postcode": omitted(),
    "Call.Prompts.Keys": omitted(),
    "Attribution.Source": _OF_SESSION,
    "Attribution.Medium": _OF_SESSION,
    "Attribution.Campaign": _OF_SESSION,
    "Attribution.Content": _OF_SESSION,
    "Session.Traffic.Type": Fill(
        (
            step("case", style="title"),
            step(
                "map",
                values={
                    "Paid": "Campaign",
                    **{name: name for name in ("Campaign", "Direct", "Organic", "Referral")},
                },
                otherwise="Unattributed",
            ),
        ),
        default="Unattributed",
        only_if=ONLY_DYNAMIC,
    ),
    "Session.Keywords": replace(omitted(), only_if=ONLY_DYNAMIC),
    "Session.ConversionUri": _OF_SESSION,
    "Session.LandingUri": _OF_SESSION,
    "Google.Analytics.ClientId": omitted(),
    "Google.AdWords.ClickId": omitted(),
}


def _is(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda value: compiled.fullmatch(value) is not None


def _one_of(*values: str) -> Callable[[str], bool]:
    return lambda value: value in values


_ALWAYS: dict[str, Callable[[str], bool] | None] = {
    "Action": _one_of("Webhook"),
    "Event": _one_of("Call.Complete"),
    "Account.Sid": None,
    "Property.Sid": None,
    "Property.Name": None,
    "Property.Type": _one_of("Site"),
    "Call.Sid": _is(r".+"),
    "Call.StartDate": _is(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"),
    "Call.From": _is(f"{phones.E164}|anonymous"),
    "Call.From.Country": None,
    "Call.From.Region": None,
    "Call.From.City": None,
    "Call.To": _is(f"(?:{phones.E164})?"),
    "Call.To.Type": _one_of("Static", "Dynamic"),
    "Call.To.Name": None,
    "Call.Duration": _is(r"[0-9]+"),
    "Call.Disposition": _one_of(*DISPOSITIONS),
}
_OF_SESSIONS: dict[str, Callable[[str], bool] | None] = {
    "Attribution.Source": None,
    "Attribution.Medium": None,
    "Attribution.Campaign": None,
    "Attribution.Content": None,
    "Session.Traffic.Type": _one_of(*TRAFFIC_TYPES),
    "Session.ConversionUri": None,
    "Session.LandingUri": None,
}
_IF_KNOWN: dict[str, Callable[[str], bool] | None] = {
    "Call.Recording.Uri": _is(r".+"),
    "Call.Endpoint": _is(phones.E164),
    "Call.Survey.Type": None,
    "Call.Survey.Value": _is(r"-?[0-9]+"),
    "Call.Survey.Custom1": None,
    "Call.Survey.Custom2": None,
    "Call.Survey.Custom3": None,
    "Call.Survey.UniqueCode": None,
    "Call.Prompts.Postcode": None,
    "Call.Prompts.Keys": None,
    "Session.Keywords": None,
    "Google.Analytics.ClientId": None,
    "Google.AdWords.ClickId": None,
}


def find_problems(payload: bytes) -> list[Problem]:
    """Judge the parameters by the tables of the document."""
    try:
        pairs = parse_qsl(
            payload.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict"
        )
    except ValueError as error:
        return [Problem("", f"These are no parameters: {error}.")]
    values = dict(pairs)
    problems = [Problem(name, "This is missing.") for name in _ALWAYS if name not in values]
    if len(values) < len(pairs):
        problems.append(Problem("", "A parameter is there more than once."))
    present = _OF_SESSIONS.keys() & values.keys()
    if present:
        missing = sorted(_OF_SESSIONS.keys() - present)
        problems += [Problem(name, "A web session has all or none of these.") for name in missing]
    tests = _ALWAYS | _OF_SESSIONS | _IF_KNOWN
    for name, value in values.items():
        test = tests.get(name)
        if name not in tests:
            problems.append(Problem(name, "There is no such parameter."))
        elif test is not None and not test(value):
            problems.append(Problem(name, "This is not in the form of the document."))
        elif name in _IF_KNOWN and not value:
            problems.append(Problem(name, "What is not known is left out."))
    return problems


CALL_COMPLETE = Entry(
    key="call_complete",
    name="Call.Complete, by POST",
    purpose="Every parameter of the Call.Complete event, at the end of a call.",
    format=Format.FORM,
    sample=_SAMPLE,
    fills=_FILLS,
    rules=find_problems,
    notes=(
        "Attribution and session are sent for calls to a dynamic number only.",
        "Optional parameters are left out when they are not known.",
    ),
)
CALL_COMPLETE_GET = replace(
    CALL_COMPLETE,
    key="call_complete_get",
    name="Call.Complete, by GET",
    format=Format.QUERY,
    method="GET",
)
