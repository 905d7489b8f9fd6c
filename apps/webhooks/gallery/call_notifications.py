"""Call notifications: the three JSON bodies that tell of a call's start, end and later changes.

Keys, nesting and types are those of the samples in the system's document, its oddities included:
`AnswerStatus` is a number right after the call and a word later; ids that are text in one sample
are numbers in another; the key `LandingPagURL:` has its misprint and its colon. `MonitorStartTime`
and `MonitorEndTime` stand twice in one sample, with a time and with null: they are sent once, with
the time, as a JSON object has each key once.
"""

from typing import Final

from apps.webhooks.formats import Format
from apps.webhooks.gallery.entry import Entry, Fill, step
from apps.webhooks.gallery.notification_rules import find_problems
from apps.webhooks.gallery.notification_samples import (
    PREPROCESSED_SAMPLE,
    PROCESSED_SAMPLE,
    START_SAMPLE,
)
from apps.webhooks.gallery.parameters import ONLY_DYNAMIC
from apps.webhooks.mapping import ValueType, WhenEmpty

TIME_ZONES: Final = {
    "America/New_York": "Eastern",
    "America/Toronto": "Eastern",
    "America/Detroit": "Eastern",
    "America/Chicago": "Central",
    "America/Winnipeg": "Central",
    "America/Denver": "Mountain",
    "America/Edmonton": "Mountain",
    "America/Phoenix": "Mountain",
    "America/Los_Angeles": "Pacific",
    "America/Vancouver": "Pacific",
    "America/Anchorage": "Alaska",
    "Pacific/Honolulu": "Hawaii",
    "America/Halifax": "Atlantic",
    "America/St_Johns": "Newfoundland",
}
"""What the system calls a zone; the sample shows Eastern only. Others keep their IANA names."""

_CALL = "$.Notifications[0]"
_SESSION = f"{_CALL}.AttributionDetails"
_ID = step("id_number")
_LOCAL = step("date", style="custom", pattern="yyyy-MM-dd'T'HH:mm:ss", zone="location")
_UTC = step("date", style="custom", pattern="yyyy-MM-dd'T'HH:mm:ss.SSS")
_UTC_SECONDS = step("date", style="custom", pattern="yyyy-MM-dd'T'HH:mm:ss")
_NULLABLE = Fill(when_empty=WhenEmpty.NULL)
_TEXT = Fill(type=ValueType.STRING)
_NULLABLE_TEXT = Fill(when_empty=WhenEmpty.NULL, type=ValueType.STRING)
_ID_NUMBER = Fill((_ID,), when_empty=WhenEmpty.NULL, type=ValueType.NUMBER)
_NUMBER = Fill(when_empty=WhenEmpty.NULL, type=ValueType.NUMBER)
_VOICEMAIL = Fill(
    (step("map", values={"VOICEMAIL": "true"}, otherwise="false"),),
    when_empty=WhenEmpty.NULL,
    type=ValueType.BOOLEAN,
)
_ANSWER_WORDS = {
    "ANSWER": "Answered",
    "NOANSWER": "NoAnswer",
    "BUSY": "Busy",
    "IVR": "IVR",
    "FAILED": "Failed",
    "VOICEMAIL": "VoiceMail",
}


def _only_of_sessions(tag_id: Fill) -> dict[str, Fill]:
    """How the web session is written: null for a call without one, and so is its tag."""
    return {
        _SESSION: Fill(when_empty=WhenEmpty.NULL, only_if=ONLY_DYNAMIC),
        f"{_SESSION}.session_tag": Fill(when_empty=WhenEmpty.NULL, only_if="session_tag_id"),
        f"{_SESSION}.session_tag.tag_id": tag_id,
        f"{_SESSION}.session_tag.tag_time": Fill((_LOCAL,), when_empty=WhenEmpty.NULL),
    }


def _custom(
    fill: Fill, *, ids: Fill, texts_of: tuple[str, ...] = ("Study", "Ad")
) -> dict[str, Fill]:
    """How the fields of one's own are written, which the platform sends as custom fields."""
    counts = {"Study": 3, "Ad": 4, "Advertiser": 2}
    fills = {f"{_CALL}.{name}Details.CustomID": ids for name in ("Study", "Ad")}
    for name in texts_of:
        for number in range(1, counts[name] + 1):
            fills[f"{_CALL}.{name}Details.CustomText{number if number > 1 else ''}"] = fill
    return fills


_ENVELOPE = {"$.Attempt": Fill(default="1", type=ValueType.NUMBER)}
_IDENTIFIED = {
    **_ENVELOPE,
    "$.Properties.UTC": Fill((_UTC,)),
    "$.Properties.Organization": Fill((_ID,), type=ValueType.STRING),
    f"{_CALL}.OrgGroupID": _ID_NUMBER,
    f"{_CALL}.StudyDetails.StudyID": _ID_NUMBER,
    f"{_CALL}.AdDetails.AdDefinitionID": _ID_NUMBER,
    f"{_CALL}.AdvertiserDetails.AdvertiserID": _ID_NUMBER,
}
_START_FILLS = {
    **_IDENTIFIED,
    f"{_CALL}.CallDate": Fill((_UTC,)),
    f"{_CALL}.OrganizationID": _ID_NUMBER,
    f"{_CALL}.RouteKey": _NULLABLE_TEXT,
    **{
        f"{_CALL}.CallerDetails.{name}": _NULLABLE
        for name in ("Name", "Address", "City", "Zip", "State")
    },
    f"{_CALL}.CallerDetails.ShortZip": Fill(
        (step("truncate", length=5),), when_empty=WhenEmpty.NULL
    ),
    f"{_CALL}.CallerDetails.RichData": _NULLABLE,
    **_custom(_NULLABLE_TEXT, ids=_NULLABLE_TEXT),
    f"{_CALL}.AdvertiserDetails.ClientCode": _NULLABLE,
    f"{_CALL}.AdvertiserDetails.CustomText": _TEXT,
    f"{_CALL}.AdvertiserDetails.CustomText2": _TEXT,
    **_only_of_sessions(_NUMBER),
}
_ENDED_FILLS = {
    f"{_CALL}.TelmetricsId": _ID_NUMBER,
    f"{_CALL}.TelmetricsStudyID": _ID_NUMBER,
    f"{_CALL}.StartTime": Fill((_LOCAL,)),
    f"{_CALL}.AnswerTime": Fill((_LOCAL,), when_empty=WhenEmpty.NULL),
    f"{_CALL}.EndTime": Fill((_LOCAL,), when_empty=WhenEmpty.NULL),
    f"{_CALL}.MonitorStartTime": Fill((_UTC,), when_empty=WhenEmpty.NULL),
    f"{_CALL}.MonitorEndTime": Fill((_UTC,), when_empty=WhenEmpty.NULL),
    f"{_CALL}.RingCount": Fill(default="0", type=ValueType.NUMBER),
    f"{_CALL}.CallSeconds": Fill(default="0", type=ValueType.NUMBER),
    f"{_CALL}.TimeZone": Fill((step("map", values=TIME_ZONES),), default="Eastern"),
    f"{_CALL}.VoiceRecordingUrl": _NULLABLE,
    f"{_CALL}.VoiceMailDetected": _VOICEMAIL,
    f"{_CALL}.VoiceTrends.Lead": _NULLABLE,
    f"{_CALL}.VoiceTrends.VoiceMail": _NULLABLE,
    f"{_CALL}.CallTranscript": _NULLABLE,
    **_only_of_sessions(_NUMBER),
}
_PREPROCESSED_FILLS = {
    **_IDENTIFIED,
    **_ENDED_FILLS,
    f"{_CALL}.OrganizationId": _ID_NUMBER,
    # The document shows 1 for answered, and no other number.
    f"{_CALL}.AnswerStatus": Fill(
        (step("map", values={"ANSWER": "1"}, otherwise="0"),), default="0", type=ValueType.NUMBER
    ),
    **{
        f"{_CALL}.{name}": _NULLABLE_TEXT
        for name in ("SmsResponse", "CallerType", "VoiceRecordID", "RouteKey", "SegmentName")
    },
    f"{_CALL}.RegisteredDNC": Fill(when_empty=WhenEmpty.NULL, type=ValueType.JSON),
    f"{_CALL}.Latitude": _NUMBER,
    f"{_CALL}.Longitude": _NUMBER,
    f"{_CALL}.VoiceTrends": Fill(when_empty=WhenEmpty.NULL, only_if="voice_lead"),
    **_custom(_TEXT, ids=_TEXT, texts_of=("Study", "Ad", "Advertiser")),
}
_PROCESSED_FILLS = {
    **_ENVELOPE,
    **_ENDED_FILLS,
    "$.Properties.UTC": Fill((_UTC_SECONDS,)),
    f"{_CALL}.AnswerStatus": Fill((step("map", values=_ANSWER_WORDS),)),
    f"{_CALL}.OrgGroupId": _ID_NUMBER,
    f"{_CALL}.StudyDetails.StudyID": _ID_NUMBER,
    f"{_CALL}.AdDetails.AdDefinitionId": _ID_NUMBER,
    f"{_CALL}.AdvertiserDetails.AdvertiserId": _ID_NUMBER,
    f"{_CALL}.AdvertiserDetails.ClientCode": _NUMBER,
    **_custom(_TEXT, ids=_NUMBER, texts_of=("Study", "Ad", "Advertiser")),
    f"{_SESSION}.SessionId": _ID_NUMBER,
    f"{_SESSION}.MultisessionFlag": Fill(when_empty=WhenEmpty.NULL, type=ValueType.BOOLEAN),
}
_HEADERS = (("Content-Type", "application/json; charset=utf-8"),)
_NOTES = (
    "Set it up under Settings: there the three are sent at their moments, and signed.",
    "Ids that are no numbers here become numbers that stay the same.",
)


def _entry(key: str, name: str, purpose: str, sample: str, fills: dict[str, Fill]) -> Entry:
    return Entry(
        key=key,
        name=name,
        purpose=purpose,
        format=Format.JSON,
        sample=sample,
        fills=fills,
        rules=find_problems,
        headers=_HEADERS,
        notes=_NOTES,
    )


CALL_START = _entry(
    "call_start",
    "Call notification: start",
    "Call Start, as soon as a call comes in.",
    START_SAMPLE,
    _START_FILLS,
)
CALL_PREPROCESSED = _entry(
    "call_preprocessed",
    "Call notification: preprocessed",
    "Call Preprocessed, right after the end of a call.",
    PREPROCESSED_SAMPLE,
    _PREPROCESSED_FILLS,
)
CALL_PROCESSED = _entry(
    "call_processed",
    "Call notification: processed",
    "Call Processed, when a call is changed after its end.",
    PROCESSED_SAMPLE,
    _PROCESSED_FILLS,
)
