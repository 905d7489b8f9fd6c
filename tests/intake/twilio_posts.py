"""What Twilio posts of a call, and what is stored of it."""

from django.apps import apps

from tests.builders import World

PARENT = "CAparent00000000000000000000000001"
CHILD = "CAchild000000000000000000000000001"
CALLER, AGENT = "+17776734736", "+15550009999"


def of_call(world: World, status: str, second: int, **more: str) -> dict[str, str]:
    """What Twilio posts of the leg that came in."""
    return {
        "CallSid": PARENT,
        "CallStatus": status,
        "Direction": "inbound",
        "From": CALLER,
        "To": world.number.number,
        "FromCity": "SPRINGWOOD",
        "CallerName": "FREDDY KRUEGER",
        "AccountSid": "AC1",
        "StirVerstat": "TN-Validation-Passed-A",
        "Timestamp": f"Sat, 28 Mar 2026 00:05:{second:02} +0000",
        **more,
    }


def of_leg(status: str, second: int, sid: str = CHILD, **more: str) -> dict[str, str]:
    """What Twilio posts of a leg that the call is put through to."""
    return {
        "CallSid": sid,
        "ParentCallSid": PARENT,
        "CallStatus": status,
        "Direction": "outbound-dial",
        "From": CALLER,
        "To": AGENT,
        "Timestamp": f"Sat, 28 Mar 2026 00:05:{second:02} +0000",
        **more,
    }


def recording(sid: str = PARENT) -> dict[str, str]:
    return {
        "CallSid": sid,
        "RecordingSid": "RE1",
        "RecordingStatus": "completed",
        "RecordingUrl": "https://api.twilio.example/Recordings/RE1",
        "RecordingDuration": "29",
    }


def everything(world: World) -> list[dict[str, str]]:
    """The callbacks of one answered call, in order."""
    return [
        of_call(world, "ringing", 0),
        of_leg("ringing", 1),
        of_leg("in-progress", 7),
        of_leg("completed", 36, CallDuration="29"),
        of_call(world, "completed", 36, CallDuration="36"),
        recording(),
        {
            "CallSid": PARENT,
            "TranscriptionSid": "TR1",
            "TranscriptionStatus": "completed",
            "TranscriptionText": "Hello.",
        },
    ]


def rows() -> dict[str, int]:
    """How many rows there are of each model."""
    return {
        model.__name__: model._base_manager.count()
        for model in apps.get_models()
        if model._meta.managed
    }
