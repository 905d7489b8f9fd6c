"""Numbers and yes/no: rounding, seconds to minutes or as a duration, the spelling of booleans."""

import hashlib
import re
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, localcontext

from apps.webhooks.mapping.conversions import boolean, number
from apps.webhooks.mapping.formatters.spec import (
    FormatterSpec,
    Option,
    OptionKind,
    Options,
    Step,
)
from apps.webhooks.tokens import Snapshot, Value, as_text, without_surrogates

_ROUNDINGS = {"nearest": ROUND_HALF_UP, "up": ROUND_CEILING, "down": ROUND_FLOOR}
_SPELLINGS = {
    "true_false": ("true", "false"),
    "1_0": ("1", "0"),
    "yes_no": ("yes", "no"),
    "y_n": ("Y", "N"),
    "on_off": ("on", "off"),
}

_WHOLE = re.compile(r"0|[1-9][0-9]{0,14}")
_SURPLUS_BITS = 64 - 53

_DECIMALS = Option("decimals", "Decimals", OptionKind.INTEGER, 0, largest=10)
_ROUNDING = Option(
    "rounding",
    "Round",
    OptionKind.CHOICE,
    "nearest",
    choices=(("nearest", "To the nearest"), ("up", "Up"), ("down", "Down")),
)


def _build_number(options: Options) -> Step:
    return _rounding(options, Decimal(1))


def _build_minutes(options: Options) -> Step:
    return _rounding(options, Decimal(60))


def _build_milliseconds(options: Options) -> Step:
    return _rounding({"decimals": 0, "rounding": "nearest"}, Decimal("0.001"))


def _rounding(options: Options, divisor: Decimal) -> Step:
    unit = Decimal(1).scaleb(-options["decimals"])
    rounding = _ROUNDINGS[options["rounding"]]

    def step(value: Value, snapshot: Snapshot) -> Value:
        parsed = number(value)
        if parsed is None:
            return None
        with localcontext(prec=80):
            return f"{(parsed / divisor).quantize(unit, rounding):f}"

    return step


def _build_duration(options: Options) -> Step:
    write = _DURATIONS[options["style"]]

    def step(value: Value, snapshot: Snapshot) -> Value:
        parsed = number(value)
        if parsed is None or parsed < 0:
            return None
        return write(int(parsed.to_integral_value(ROUND_HALF_UP)))

    return step


def _minutes_and_seconds(seconds: int) -> str:
    return f"{seconds // 60 % 60:02}:{seconds % 60:02}"


def _iso_duration(seconds: int) -> str:
    units = (("H", seconds // 3600), ("M", seconds // 60 % 60), ("S", seconds % 60))
    return "PT" + ("".join(f"{count}{unit}" for unit, count in units if count) or "0S")


_DURATIONS: dict[str, Callable[[int], str]] = {
    "hh_mm_ss": lambda seconds: f"{seconds // 3600:02}:{_minutes_and_seconds(seconds)}",
    "h_mm_ss": lambda seconds: f"{seconds // 3600}:{_minutes_and_seconds(seconds)}",
    "mm_ss": lambda seconds: f"{seconds // 60:02}:{seconds % 60:02}",
    "m_ss": lambda seconds: f"{seconds // 60}:{seconds % 60:02}",
    "iso": _iso_duration,
}


def _build_id_number(options: Options) -> Step:
    return lambda value, snapshot: _id_number(as_text(value).strip())


def _id_number(text: str) -> str | None:
    """The number itself, or one made of the text, which every reader of JSON holds exactly."""
    if _WHOLE.fullmatch(text):
        return text
    digest = hashlib.sha256(without_surrogates(text).encode()).digest()
    return str(int.from_bytes(digest[:8]) >> _SURPLUS_BITS) if text else None


def _build_boolean(options: Options) -> Step:
    yes, no = _SPELLINGS[options["style"]]

    def step(value: Value, snapshot: Snapshot) -> Value:
        is_true = boolean(value)
        return None if is_true is None else yes if is_true else no

    return step


NUMBER = FormatterSpec("number", "Round a number", (_DECIMALS, _ROUNDING), _build_number)

MINUTES = FormatterSpec("minutes", "Seconds to minutes", (_DECIMALS, _ROUNDING), _build_minutes)

MILLISECONDS = FormatterSpec("milliseconds", "Seconds to milliseconds", (), _build_milliseconds)

DURATION = FormatterSpec(
    "duration",
    "Seconds as a duration",
    (
        Option(
            "style",
            "Write as",
            OptionKind.CHOICE,
            choices=(
                ("hh_mm_ss", "Hours, minutes, seconds: 00:01:30"),
                ("h_mm_ss", "Hours without a zero before: 0:01:30"),
                ("mm_ss", "Minutes and seconds: 01:30"),
                ("m_ss", "Minutes without a zero before: 1:30"),
                ("iso", "ISO 8601: PT1M30S"),
            ),
        ),
    ),
    _build_duration,
)

ID_NUMBER = FormatterSpec("id_number", "A whole number for any id", (), _build_id_number)

BOOLEAN = FormatterSpec(
    "boolean",
    "Yes or no",
    (
        Option(
            "style",
            "Write as",
            OptionKind.CHOICE,
            choices=(
                ("true_false", "true / false"),
                ("1_0", "1 / 0"),
                ("yes_no", "yes / no"),
                ("y_n", "Y / N"),
                ("on_off", "on / off"),
            ),
        ),
    ),
    _build_boolean,
)
