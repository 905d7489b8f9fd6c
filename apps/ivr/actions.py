"""The next action as a receiver answers it: XML, read safely and held against a closed list. Pure.

The source of names, values and dependencies is the response format of the IVR web hook:
`<action><app>…</app><parameters>…</parameters></action>`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from lxml import etree

from apps.ivr import pass_through
from apps.ivr.decisions import Action, AnswerFault, App

MOST_USER_PARAMETERS: Final = 50
MAX_VALUE_CHARS: Final = 1_000
_MOST_NUMBERS: Final = 50
_USER_PARAMETERS: Final = "user_parameters"
_P_T: Final = "p_t"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_ID: Final = re.compile(r"[0-9]{1,18}")
_NUMBER: Final = re.compile(r"\+?[0-9]{7,15}")
_NUMBER_MARKS: Final = re.compile(r"[\s().-]")
_WAV: Final = re.compile(r"[\w .-]{1,200}", re.ASCII)
_DECLARED: Final = re.compile(rb"\s*<\?xml[^>]*\sencoding\s*=", re.I)
_MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")

Check = Callable[[str, str], str]
"""Takes name and value of a parameter and returns the value; raises AnswerFault."""


def parse_action(body: bytes, charset: str = "") -> Action:
    """Read an action; `charset` is that of the Content-Type, for XML that declares none.

    Raises AnswerFault, which names the element that is wrong, for everything but an action of the
    closed list with exactly the parameters that it may have.
    """
    root = _parse(body, charset)
    if _name(root) != "action":
        hint = ": it is an HTML page" if _name(root).lower() == "html" else ""
        raise AnswerFault(f"The answer has no <action>{hint}; its root is <{_name(root)[:80]}>.")
    parts = _children(root)
    if unknown := parts.keys() - {"app", "parameters"}:
        raise AnswerFault(f"<action> has an unknown element <{min(unknown)}>.")
    if "app" not in parts:
        raise AnswerFault("<action> has no <app>.")
    given = _children(parts["parameters"]) if "parameters" in parts else {}
    named = given.pop(_USER_PARAMETERS, None)
    return check_action(
        _text(parts["app"]),
        {name: _text(node) for name, node in given.items() if name != _P_T},
        user_parameters={} if named is None else _user_parameters(named),
        pass_data=_text(given[_P_T]) if _P_T in given else "",
    )


def check_action(
    app: str,
    given: Mapping[str, str],
    *,
    user_parameters: Mapping[str, str] | None = None,
    pass_data: str = "",
) -> Action:
    """Return the action of this app with these parameters; raises AnswerFault. Empty is absent."""
    if app not in set(App):
        raise AnswerFault(f"<app> is “{app[:80]}”; known are {', '.join(App)}.")
    checks = _CHECKS[App(app)]
    given = {name: value for name, value in given.items() if value}
    if unknown := given.keys() - checks.keys():
        raise AnswerFault(f"{app} has no parameter <{min(unknown)}>.")
    parameters = {name: checks[name](name, value) for name, value in given.items()}
    if (user_parameters or pass_data) and app != App.SURVO:
        raise AnswerFault(f"User parameters and <p_t> go to a SurVo only, not to {app}.")
    if len(pass_data) > pass_through.MAX_CHARS:
        raise AnswerFault(f"<p_t> has more than {pass_through.MAX_CHARS:,} characters.")
    if app == App.FINDME:
        _check_findme(parameters)
    elif missing := checks.keys() - parameters.keys():
        raise AnswerFault(f"{app} needs <{min(missing)}>.")
    return Action(App(app), parameters, user_parameters or {}, pass_data)


# --- Reading the XML ---------------------------------------------------------------------------


def _parse(body: bytes, charset: str) -> etree._Element:
    is_told = body.startswith(_MARKS) or _DECLARED.match(body)
    try:
        parser = etree.XMLParser(
            encoding=None if is_told else charset or None,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        root = etree.fromstring(body.strip(), parser)
    except LookupError:
        raise AnswerFault(f"The answer's encoding {charset[:40]!r} is not known.") from None
    except (etree.XMLSyntaxError, ValueError) as error:
        is_html = body[:500].lstrip().lower().startswith((b"<!doctype html", b"<html"))
        what = "an HTML page" if is_html else "no XML that can be read"
        # The whole text of the error names a file, which there is not.
        why = error.msg if isinstance(error, etree.XMLSyntaxError) else error
        raise AnswerFault(f"The answer has no <action>: it is {what} ({why}).") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise AnswerFault("The answer has a DOCTYPE; neither that nor entities are accepted.")
    return root


def _name(node: etree._Element) -> str:
    return etree.QName(node).localname


def _children(node: etree._Element) -> dict[str, etree._Element]:
    """Return the elements inside by name; raises AnswerFault for two of one name."""
    found: dict[str, etree._Element] = {}
    for child in node:
        if not isinstance(child.tag, str):
            raise AnswerFault(f"<{_name(node)}> has an entity, which is not accepted.")
        if _name(child) in found:
            raise AnswerFault(f"<{_name(node)}> has <{_name(child)}> twice.")
        found[_name(child)] = child
    return found


def _text(node: etree._Element) -> str:
    if len(node):
        raise AnswerFault(f"<{_name(node)}> has elements inside; text is expected.")
    return (node.text or "").strip()


def _user_parameters(node: etree._Element) -> dict[str, str]:
    found = {name: _text(child) for name, child in _children(node).items()}
    if len(found) > MOST_USER_PARAMETERS:
        raise AnswerFault(f"<user_parameters> has more than {MOST_USER_PARAMETERS} elements.")
    for name, value in found.items():
        if not _NAME.fullmatch(name):
            raise AnswerFault(f"The user parameter <{name[:80]}> can not be written as @name.")
        if len(value) > MAX_VALUE_CHARS:
            raise AnswerFault(f"The user parameter <{name}> has over {MAX_VALUE_CHARS} characters.")
    return found


# --- The closed list ---------------------------------------------------------------------------


def _matching(pattern: re.Pattern[str], what: str) -> Check:
    def check(name: str, value: str) -> str:
        if not pattern.fullmatch(value):
            raise AnswerFault(f"<{name}> is “{value[:80]}”; it must be {what}.")
        return value

    return check


def _up_to(least: int, most: int) -> Check:
    choices = {str(number) for number in range(least, most + 1)}

    def check(name: str, value: str) -> str:
        if value not in choices:
            raise AnswerFault(f"<{name}> is “{value[:80]}”; it must be {least} to {most}.")
        return value

    return check


def _phrase(name: str, value: str) -> str:
    if len(value) > MAX_VALUE_CHARS:
        raise AnswerFault(f"<{name}> has more than {MAX_VALUE_CHARS:,} characters.")
    return value


def _number(name: str, value: str) -> str:
    plain = _NUMBER_MARKS.sub("", value)
    if not _NUMBER.fullmatch(plain):
        raise AnswerFault(f"<{name}> has “{value[:80]}”, which is no phone number.")
    return plain


def _numbers(name: str, value: str) -> str:
    numbers = [_number(name, number) for number in value.split("|")]
    if len(numbers) > _MOST_NUMBERS:
        raise AnswerFault(f"<{name}> has more than {_MOST_NUMBERS} numbers.")
    return "|".join(numbers)


_id: Check = _matching(_ID, "an id of digits")
_CHECKS: Final[Mapping[App, Mapping[str, Check]]] = {
    App.SURVO: {"id": _id},
    App.VR: {"id": _id},
    App.VOICEMAIL: {"id": _id},
    App.HANGUP: {},
    App.TRANSFER: {"destination": _number},
    App.FINDME: {
        "id": _id,
        "phone_list": _numbers,
        "simultaneous": _up_to(1, _MOST_NUMBERS),
        "nextaction": _up_to(1, 7),
        "nextactionitem": _id,
        "record": _up_to(0, 1),
        "screen_method": _up_to(0, 3),
        "whisper_phrase": _phrase,
        "whisper_audio": _matching(_WAV, "the name of an audio file"),
        "auto_accept": _up_to(0, 3),
    },
}
# What happens if nobody is reached, by the values of nextaction that need an id to go on with.
_WITH_ITEM: Final = {
    "2": "a voicemail box",
    "4": "a virtual receptionist",
    "5": "a find me",
    "6": "an IVR",
}
_BY_SCREEN_METHOD: Final = {"whisper_phrase": "1", "whisper_audio": "2"}


def _check_findme(given: Mapping[str, str]) -> None:
    """Hold the options of a find me against each other."""
    if ("id" in given) == ("phone_list" in given):
        raise AnswerFault("findme needs either <id> or <phone_list>.")
    if "id" in given and len(given) > 1:
        option = min(given.keys() - {"id"})
        raise AnswerFault(f"<{option}> goes with <phone_list>; a findme by <id> has its own.")
    target = _WITH_ITEM.get(given.get("nextaction", ""))
    if target and "nextactionitem" not in given:
        raise AnswerFault(f"<nextaction> {given['nextaction']} needs the id of {target}.")
    if "nextactionitem" in given and not target:
        raise AnswerFault("<nextactionitem> goes with <nextaction> 2, 4, 5 or 6.")
    for option, method in _BY_SCREEN_METHOD.items():
        if option in given and given.get("screen_method") != method:
            raise AnswerFault(f"<{option}> goes with <screen_method> {method}.")
