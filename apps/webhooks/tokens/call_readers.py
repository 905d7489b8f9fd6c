"""Readers of what is put together from several keys of a call. As `readers`, they never raise."""

from typing import Final

from apps.webhooks.tokens.readers import Reader, first_of, text
from apps.webhooks.tokens.values import Snapshot, Value, as_text

_TYPES: Final = {"static": "Static", "dynamic": "Dynamic"}
# A digital campaign shows its numbers to web sessions.
_TYPES_OF_KINDS: Final = {"offline": "static", "digital": "dynamic"}
# Actions in the words of the systems that know them.
_MENU: Final = "Virtual Receptionist"
_CLICK: Final = "Click-to-Call"
_talk_s = text("talk_s")
_transfer = text("transfer_type")


def phone_type(snapshot: Snapshot) -> Value:
    """Read whether the number is static or dynamic: as told, else by the kind of its campaign."""
    told = snapshot.get("number_type")
    campaign = snapshot.get("campaign")
    kind = campaign.get("kind") if type(campaign) is dict else None
    if type(told) is not str and type(kind) is str:
        told = _TYPES_OF_KINDS.get(kind)
    if type(told) is not str and snapshot.get("tracking_number"):
        told = "static"
    return _TYPES.get(told) if type(told) is str else None


def dynamic_number(snapshot: Snapshot) -> Value:
    """Read whether the number is dynamic, as "1" or "0"."""
    kind = phone_type(snapshot)
    return None if kind is None else "1" if kind == "Dynamic" else "0"


def recorded_talk_time(snapshot: Snapshot) -> Value:
    """Read the seconds of talk where the call was recorded, else 0; None until the end."""
    seconds = _talk_s(snapshot)
    return seconds if seconds is None or _is_recorded(snapshot) else "0"


def _is_recorded(snapshot: Snapshot) -> bool:
    recording = snapshot.get("recording")
    parts = recording if type(recording) is dict else {}
    seconds = (parts.get("duration_s"), snapshot.get("recorded_s"))
    return bool(parts.get("url") or parts.get("wav_url") or any(map(_is_positive, seconds)))


def _is_positive(value: Value) -> bool:
    return type(value) in (int, float) and value > 0


def items(key: str) -> Reader:
    """Read a list as it is; None when it is empty or none."""

    def read(snapshot: Snapshot) -> Value:
        value = snapshot.get(key)
        return value if type(value) is list and value else None

    return read


_action_list = items("actions")
_key_list = items("keys")
_postcode_list = items("postcodes")


def actions(snapshot: Snapshot) -> Value:
    """Read all actions, joined by ", "."""
    return ", ".join(map(as_text, _done(snapshot))) or None


def action(position: int) -> Reader:
    """Read one action: 0 the first, -1 the last."""

    def read(snapshot: Snapshot) -> Value:
        found = _done(snapshot)
        return as_text(found[position]) if found else None

    return read


def _done(snapshot: Snapshot) -> list[Value]:
    """What was done with the call, in order: as told, else as far as its events tell."""
    told = _action_list(snapshot)
    if type(told) is list:
        return told
    happened = (
        (_CLICK, _is_of_click(snapshot)),
        (_MENU, bool(_objects(snapshot, "options"))),
        (transfer_type(snapshot) or "Transfer", _is_put_through(snapshot)),
        ("Voicemail", snapshot.get("status") == "voicemail"),
        ("Recorded Call", _is_recorded(snapshot)),
    )
    # A menu that puts the call through is one action.
    return list(dict.fromkeys(action for action, has_happened in happened if has_happened))


def transfer_type(snapshot: Snapshot) -> Value:
    """Read how the call was put through: as told, else by what came before it."""
    if (told := _transfer(snapshot)) is not None or not _is_put_through(snapshot):
        return told
    if _objects(snapshot, "options"):
        return _MENU
    return _CLICK if _is_of_click(snapshot) else None


def _is_put_through(snapshot: Snapshot) -> bool:
    return bool(snapshot.get("target") or snapshot.get("ringing_at"))


def _is_of_click(snapshot: Snapshot) -> bool:
    click = snapshot.get("click")
    return type(click) is dict and any(click.values())


def entered_keys(snapshot: Snapshot) -> Value:
    """Read the keys as told, else those of the options and then the answers, joined by ","."""
    if told := _key_list(snapshot):
        return _joined(",", told)
    options = [each.get("key") for each in _objects(snapshot, "options")]
    answers = [each.get("response") for each in _objects(snapshot, "responses")]
    return _joined(",", [*options, *answers])


def entered_postcodes(snapshot: Snapshot) -> Value:
    """Read the postcodes, joined by ","."""
    return _joined(",", _postcode_list(snapshot) or [])


def joined_parts(room: str, *keys: str, separator: str = ", ") -> Reader:
    """Read those of several values that are there, joined."""
    readers = [text(room, key) for key in keys]
    return lambda snapshot: _joined(separator, [read(snapshot) for read in readers])


# A platform that knows the names one by one need not say them in one.
full_name: Final = first_of(
    text("caller", "full_name"),
    joined_parts("caller", "first_name", "middle_name", "last_name", separator=" "),
)
"""Read the caller's name in one, as told or put together."""


def _objects(snapshot: Snapshot, key: str) -> list[dict[str, Value]]:
    value = snapshot.get(key)
    return [each for each in value if type(each) is dict] if type(value) is list else []


def _joined(separator: str, values: list[Value]) -> str | None:
    return separator.join(written for value in values if (written := as_text(value))) or None
