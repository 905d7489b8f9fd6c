"""TwiML: what happens next with a caller, in the verbs of Twilio. Pure.

A message, hanging up, a transfer, a voicemail box and a dynamic find me have verbs of their own.
What runs at the platform by an id of its own (another IVR, a virtual receptionist, a find me that
is set up there) has none: the call is redirected to a program there, with the action in the query.

A dynamic find me takes more than one document: whoever answers hears the whisper, and when nobody
does, the next number is tried. Each is fetched at a link of its own, which carries a `Step`.
Verbs and attributes: twilio.com/docs/voice/twiml, under Dial, Number, Gather and Record.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlencode

from lxml import etree

from apps.ivr.decisions import App
from apps.ivr.elements import add

NOBODY = "Nobody is available to take your call. Goodbye."
RECORDED = "This call is recorded."
LEAVE_A_MESSAGE = "Please leave a message after the tone."
SAY_YOUR_NAME = "Please say your name after the tone."
PRESS_A_KEY = "Press any key to take the call."

_RING_S: Final = "20"
_CONNECTED: Final = frozenset({"completed", "answered"})
# What a dynamic find me goes on with when nobody is reached, by nextaction.
_THEN: Final = {"2": App.VOICEMAIL, "4": App.VR, "5": App.FINDME, "6": App.SURVO}
_NANP_DIGITS: Final = 10


class Moment(StrEnum):
    """When the next document of a find me is fetched."""

    NAMED = "named"
    DIALLED = "dialled"
    PICKED_UP = "picked_up"
    KEY_PRESSED = "key_pressed"


@dataclass(frozen=True, slots=True)
class Step:
    """Where a dynamic find me is.

    `given` are its parameters; `group` counts the numbers that ring together, from 0; `name_url`
    is where the caller's name was recorded.
    """

    moment: Moment
    given: Mapping[str, str]
    redirect_url: str = ""
    group: int = 0
    name_url: str = ""


Link = Callable[[Step], str]
"""Returns the address at which the document of a step is fetched."""


def has_verb(action: Mapping[str, Any] | None, redirect_url: str) -> bool:
    """Tell whether TwiML can say this action; None is a message."""
    if action is None or redirect_url or action["app"] in _VERBS:
        return True
    given = action["parameters"]
    if action["app"] != App.FINDME or "phone_list" not in given:
        return False
    is_whisper_known = "whisper_audio" not in given
    return is_whisper_known and given.get("nextaction") not in _THEN.keys() - {"2"}


def begun(reply: Mapping[str, Any], redirect_url: str, link: Link) -> etree._Element:
    """Return the document of a reply, one that `has_verb`."""
    action, root = reply["action"], etree.Element("Response")
    if action is None:
        add(root, "Say", reply["message"])
    elif action["app"] == App.FINDME and _is_ours(action["parameters"]):
        step = Step(Moment.NAMED, action["parameters"], redirect_url)
        _ask_name(root, step, link) if _screening(step) == "0" else _dial(root, step, link)
    else:
        _do(root, App(action["app"]), redirect_url, _pairs(reply), action["parameters"])
    return root


def continued(step: Step, posted: Mapping[str, str], link: Link) -> etree._Element:
    """Return the document of a step; `posted` is what Twilio says of the one before."""
    root = etree.Element("Response")
    match step.moment:
        case Moment.NAMED:
            url = posted.get("RecordingUrl", "")
            _dial(root, replace(step, name_url=url if url.startswith("https://") else ""), link)
        case Moment.PICKED_UP:
            _greet(root, step, link)
        case Moment.DIALLED:
            _go_on(root, step, posted, link)
        case Moment.KEY_PRESSED:
            # The end of what is played to the one who is called connects the two.
            pass
    return root


# --- Verbs ---------------------------------------------------------------------------------------


def _hang_up(root: etree._Element, given: Mapping[str, str]) -> None:
    add(root, "Hangup")


def _transfer(root: etree._Element, given: Mapping[str, str]) -> None:
    add(root, "Dial", _as_dialled(given["destination"]))


def _voicemail(root: etree._Element, given: Mapping[str, str]) -> None:
    add(root, "Say", LEAVE_A_MESSAGE)
    add(root, "Record", playBeep="true", maxLength="300")


_VERBS: Final[Mapping[str, Callable[[etree._Element, Mapping[str, str]], None]]] = {
    App.HANGUP: _hang_up,
    App.TRANSFER: _transfer,
    App.VOICEMAIL: _voicemail,
}


def _do(
    root: etree._Element,
    app: App,
    redirect_url: str,
    pairs: list[tuple[str, str]],
    given: Mapping[str, str],
) -> None:
    """Say an action: a box of the platform is opened there, where there is a program for it."""
    if app in (App.HANGUP, App.TRANSFER) or (app in _VERBS and not redirect_url):
        _VERBS[app](root, given)
        return
    add(root, "Redirect", f"{redirect_url}{'&' if '?' in redirect_url else '?'}{urlencode(pairs)}")


def _pairs(reply: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The whole action, prompts of the next IVR included."""
    action = reply["action"]
    pairs = [("app", action["app"]), *action["parameters"].items()]
    pairs += [(f"@{name}", value) for name, value in action["user_parameters"].items()]
    if action["pass_through"]:
        pairs.append(("p_t", action["pass_through"]))
    for question in (reply.get("ivr") or {"questions": []})["questions"]:
        pairs.append((f"prompt_{question['number']}", question["prompt"]))
    return pairs


# --- A dynamic find me ---------------------------------------------------------------------------


def _is_ours(given: Mapping[str, str]) -> bool:
    """Tell whether TwiML has words for it: an audio file to whisper is at the platform only."""
    return "phone_list" in given and "whisper_audio" not in given


def _screening(step: Step) -> str:
    return step.given.get("screen_method", "3")


def _ask_name(root: etree._Element, step: Step, link: Link) -> None:
    """Have the caller's name recorded; without a word the call goes on all the same."""
    add(root, "Say", SAY_YOUR_NAME)
    then = link(step)
    add(root, "Record", action=then, maxLength="6", timeout="3", playBeep="true")
    add(root, "Redirect", then)


def _dial(root: etree._Element, step: Step, link: Link) -> None:
    """Ring the numbers of a group, all at once."""
    is_recorded = step.given.get("record") == "1"
    if is_recorded and step.group == 0:
        add(root, "Say", RECORDED)
    attributes = {"timeout": _RING_S, "action": link(replace(step, moment=Moment.DIALLED))}
    if is_recorded:
        attributes["record"] = "record-from-answer-dual"
    dial = add(root, "Dial", **attributes)
    greeting = {"url": link(replace(step, moment=Moment.PICKED_UP))} if _is_greeted(step) else {}
    for number in _groups(step.given)[step.group]:
        add(dial, "Number", _as_dialled(number), **greeting)


def _greet(root: etree._Element, step: Step, link: Link) -> None:
    """Tell whoever picked up of the call, and ask for a key unless it is taken anyway."""
    said = root
    if _needs_key(step):
        accepted = link(replace(step, moment=Moment.KEY_PRESSED))
        said = add(root, "Gather", numDigits="1", timeout="8", action=accepted)
    if step.given.get("record") == "1":
        add(said, "Say", RECORDED)
    if _is_screened(step):
        if phrase := step.given.get("whisper_phrase"):
            add(said, "Say", phrase)
        if step.name_url:
            add(said, "Play", step.name_url)
    if _needs_key(step):
        add(said, "Say", PRESS_A_KEY)
        add(root, "Hangup")


def _go_on(root: etree._Element, step: Step, posted: Mapping[str, str], link: Link) -> None:
    """After a group: hang up if somebody talked, else try the next, else do what comes then."""
    is_connected = posted.get("DialCallStatus") in _CONNECTED
    # One who picks up and declines counts as connected, but is never bridged.
    if is_connected and posted.get("DialBridged", "true").lower() != "false":
        add(root, "Hangup")
    elif step.group + 1 < len(_groups(step.given)):
        _dial(root, replace(step, group=step.group + 1), link)
    elif (app := _THEN.get(step.given.get("nextaction", ""))) is not None:
        given = {"id": step.given["nextactionitem"]}
        _do(root, app, step.redirect_url, [("app", app), *given.items()], given)
    else:
        add(root, "Say", NOBODY)
        add(root, "Hangup")


def _groups(given: Mapping[str, str]) -> list[list[str]]:
    """The numbers that ring together: as many as `simultaneous` says, one unless it does."""
    numbers = given["phone_list"].split("|")
    size = int(given.get("simultaneous", "1"))
    return [numbers[at : at + size] for at in range(0, len(numbers), size)]


def _is_last(step: Step) -> bool:
    return step.group + 1 == len(_groups(step.given))


def _is_screened(step: Step) -> bool:
    is_without = step.given.get("auto_accept") == "3" or step.given.get("nextaction") == "7"
    return _screening(step) != "3" and not (_is_last(step) and is_without)


def _needs_key(step: Step) -> bool:
    """Tell whether who picks up is asked: with screening, unless the call is accepted anyway."""
    accepts, then = step.given.get("auto_accept", "0"), step.given.get("nextaction", "1")
    is_accepted = accepts == "1" or (_is_last(step) and (accepts in "23" or then in "37"))
    return _screening(step) != "3" and not is_accepted


def _is_greeted(step: Step) -> bool:
    return _is_screened(step) or _needs_key(step) or step.given.get("record") == "1"


def _as_dialled(number: str) -> str:
    """The number as E.164, where it is clear which: ten digits are North American."""
    return f"+1{number}" if len(number) == _NANP_DIGITS and number.isdigit() else number
