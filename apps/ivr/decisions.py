"""What happens next with a caller: a message that is read, or an action. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class AnswerFault(Exception):
    """A receiver's answer can not be used; the message says why, for whoever runs the receiver."""


class App(StrEnum):
    """What an action leads to, in the spelling of the IVR web hook."""

    SURVO = "SurVo"
    FINDME = "findme"
    VR = "vr"
    VOICEMAIL = "voicemail"
    HANGUP = "hangup"
    TRANSFER = "transfer"


@dataclass(frozen=True, slots=True)
class Message:
    """Text that is read to the caller."""

    text: str


@dataclass(frozen=True, slots=True)
class Action:
    """Where the call goes. `parameters` are those of the app, checked, in the given order.

    `user_parameters` replace `@name` in the prompts of the next IVR; `pass_through` comes back
    with the next results of the same call.
    """

    app: App
    parameters: Mapping[str, str] = field(default_factory=dict)
    user_parameters: Mapping[str, str] = field(default_factory=dict)
    pass_through: str = ""


Decision = Message | Action


def as_plain(decision: Decision) -> dict[str, Any]:
    """Return the JSON form: `message`, or `action` with its parts."""
    if isinstance(decision, Message):
        return {"message": decision.text, "action": None}
    return {
        "message": None,
        "action": {
            "app": str(decision.app),
            "parameters": dict(decision.parameters),
            "user_parameters": dict(decision.user_parameters),
            "pass_through": decision.pass_through,
        },
    }
