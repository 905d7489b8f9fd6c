"""The rules of the call notifications: the keys, nesting and types of the document's samples.

Where a sample has null, null or the natural type may stand.
"""

from types import NoneType
from typing import Any, Final

import orjson

from apps.webhooks.mapping import Problem

_Types = tuple[type, ...]

TEXT: Final = (str,)
NUMBER: Final = (int, float)
FLAG: Final = (bool,)
ID: Final = (int, NoneType)
MAYBE_TEXT: Final = (str, NoneType)
MAYBE_NUMBER: Final = (int, float, NoneType)
MAYBE_FLAG: Final = (bool, NoneType)
ANYTHING: Final = (object,)


def _each(names: str, types: _Types) -> dict[str, Any]:
    return dict.fromkeys(names.split(), types)


_ENVELOPE = _each("Id", TEXT) | _each("Attempt", NUMBER)
_PROPERTIES = _each("CollectionType UTC Organization RequestId", TEXT)
_TAG = {"tag_id": ID, "tag_data": MAYBE_TEXT, "tag_time": MAYBE_TEXT}
# A list of shapes: one of them.
_SESSION = [
    NoneType,
    _each("SessionId RuleDescription LandingPageUrl ReferrerUrl ip_address user_agent", TEXT)
    | {"session_tag": [NoneType, _TAG]},
]
_START = {
    "Action": TEXT,
    **_each("CallDate CalledNumber CallerNumber OrgGroupName", TEXT),
    **_each("OrgGroupID OrganizationID", ID),
    "RouteKey": MAYBE_TEXT,
    "CallerDetails": _each("PhoneNumber", TEXT)
    | _each("Name Address City Zip State ShortZip", MAYBE_TEXT)
    | _each("RichData", ANYTHING),
    "StudyDetails": _each("StudyID", ID)
    | _each("CustomID CustomText CustomText2 CustomText3", MAYBE_TEXT),
    "AdDetails": _each("AdDefinitionID", ID)
    | _each("CustomID CustomText CustomText2 CustomText3 CustomText4", MAYBE_TEXT),
    "AdvertiserDetails": _each("AdvertiserID", ID)
    | _each("ClientCode", MAYBE_TEXT)
    | _each("CustomText CustomText2", TEXT),
    "AttributionDetails": _SESSION,
}
_ENDED = {
    **_each("Action CalledNumber TerminationNumber StartTime CallerNumber TimeZone", TEXT),
    **_each("CallerName CallerStreet CallerCity CallerState CallerZip CallerAddress", TEXT),
    **_each("AnswerTime EndTime MonitorStartTime MonitorEndTime", MAYBE_TEXT),
    **_each("TelmetricsId TelmetricsStudyID", ID),
    **_each("RingCount CallSeconds", NUMBER),
    **_each("VoiceRecordingUrl CallTranscript", MAYBE_TEXT),
    "Incomplete": FLAG,
    "VoiceMailDetected": MAYBE_FLAG,
}
_TRENDS = _each("Lead VoiceMail", MAYBE_TEXT)
_PREPROCESSED = {
    **_ENDED,
    **_each("OrganizationId OrgGroupID", ID),
    "AnswerStatus": NUMBER,
    **_each("SmsResponse CallerType VoiceRecordID RouteKey SegmentName", MAYBE_TEXT),
    "RegisteredDNC": ANYTHING,
    **_each("Latitude Longitude", MAYBE_NUMBER),
    "VoiceTrends": [NoneType, _TRENDS],
    "OrgGroupName": TEXT,
    "CallTags": {"TagIDs": (list,)},
    "StudyDetails": _each("StudyID", ID)
    | _each("CustomID CustomText CustomText2 CustomText3", TEXT),
    "AdDetails": _each("AdDefinitionID", ID)
    | _each("CustomID CustomText CustomText2 CustomText3 CustomText4 AdDefinitionName", TEXT),
    "AdvertiserDetails": _each("AdvertiserID", ID)
    | _each("ClientCode CustomText CustomText2 AdvertiserName", TEXT),
    "AttributionDetails": _SESSION,
}
_PROCESSED = {
    **_ENDED,
    "OrgGroupId": ID,
    "AnswerStatus": TEXT,
    "VoiceTrends": _TRENDS,
    "keyword_lists": (list,),
    "StudyDetails": _each("StudyID", ID)
    | _each("CustomID", MAYBE_NUMBER)
    | _each("CustomText CustomText2 CustomText3", TEXT),
    "AdDetails": _each("AdDefinitionId", ID)
    | _each("CustomID", MAYBE_NUMBER)
    | _each("CustomText CustomText2 CustomText3 CustomText4", TEXT),
    "AdvertiserDetails": _each("AdvertiserId", ID)
    | _each("ClientCode", MAYBE_NUMBER)
    | _each("CustomText CustomText2", TEXT),
    "AttributionDetails": [
        NoneType,
        _each("RuleDescription LandingPagURL: ReferrerURL ip_address user_agent", TEXT)
        | _each("utm_campaign utm_term utm_source utm_medium utm_content", TEXT)
        | {"SessionId": ID, "MultisessionFlag": MAYBE_FLAG, "session_tag": [NoneType, _TAG]},
    ],
}
_SHAPES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "CallDetails.CallStartCall": (_PROPERTIES, _START),
    "CallDetails.CallPreprocessed": (_PROPERTIES, _PREPROCESSED),
    "CallDetails.CallProcessed": (_each("CollectionType UTC", TEXT), _PROCESSED),
}


def find_problems(payload: bytes) -> list[Problem]:
    """Judge a notification by the sample of its action."""
    try:
        body = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        return [Problem("$", f"This is not JSON: {error}.")]
    told = body.get("Notifications") if isinstance(body, dict) else None
    if not (isinstance(told, list) and len(told) == 1 and isinstance(told[0], dict)):
        return [Problem("$.Notifications", "This must be a list of one notification.")]
    action = told[0].get("Action")
    if not isinstance(action, str) or action not in _SHAPES:
        return [Problem("$.Notifications[0].Action", f"This must be one of {', '.join(_SHAPES)}.")]
    properties, notification = _SHAPES[action]
    whole = {**_ENVELOPE, "Properties": properties, "Notifications": (list,)}
    problems: list[Problem] = []
    _judge(body, whole, "$", problems)
    _judge(told[0], notification, "$.Notifications[0]", problems)
    return problems


def _judge(value: Any, shape: Any, path: str, problems: list[Problem]) -> None:
    """Compare a value with a shape: types, an object of shapes, or a choice of null and one."""
    if isinstance(shape, list):
        if value is not None:
            _judge(value, shape[1], path, problems)
    elif isinstance(shape, dict):
        if not isinstance(value, dict):
            problems.append(Problem(path, "This must be an object."))
            return
        for name in shape.keys() - value.keys():
            problems.append(Problem(f"{path}.{name}", "This is missing."))
        for name in value.keys() - shape.keys():
            problems.append(Problem(f"{path}.{name}", "The document knows no such member."))
        for name in shape.keys() & value.keys():
            _judge(value[name], shape[name], f"{path}.{name}", problems)
    elif shape is not ANYTHING and type(value) not in shape:
        problems.append(Problem(path, "This is of another type than in the document."))
