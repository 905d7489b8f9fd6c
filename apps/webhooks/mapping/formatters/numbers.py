"""Numbers and yes/no: rounding, seconds to minutes, the spelling of booleans."""

import hashlib
import re
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
_SPELLINGS = {"true_false": ("true", "false"), "1_0": ("1", "0"), "yes_no": ("yes", "no")}

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

ID_NUMBER = FormatterSpec("id_number", "A whole number for any id", (), _build_id_number)

BOOLEAN = FormatterSpec(
    "boolean",
    "Yes or no",
    (
        Option(
            "style",
            "Write as",
            OptionKind.CHOICE,
            choices=(("true_false", "true / false"), ("1_0", "1 / 0"), ("yes_no", "yes / no")),
        ),
    ),
    _build_boolean,
)
