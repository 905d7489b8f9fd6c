"""Phone numbers: E.164, international, national, other separators, digits only, the last ten."""

import re

import phonenumbers

from apps.common.phones import E164
from apps.webhooks.mapping.formatters.spec import (
    FormatterError,
    FormatterSpec,
    Option,
    OptionKind,
    Options,
    Step,
)
from apps.webhooks.tokens import Snapshot, Value, as_text

_E164 = re.compile(E164)
_TEN_DIGITS = re.compile(r"[2-9][0-9]{9}")
_NO_DIGIT = re.compile(r"[^0-9]")
_NANP = 1
_DIGITS = re.compile(r"[0-9]+")
_DIGITS_ONLY = frozenset({"digits", "last10"})
_SEPARATORS = {"dashes": "-", "dots": ".", "spaces": " "}


def e164(value: Value, country: str) -> str | None:
    """A phone number as +, country code and number; without a code, of this country.

    None when it is no phone number at all; whether it is in use is not looked at.
    """
    text = as_text(value).strip()
    if _E164.fullmatch(text):
        return text
    if _TEN_DIGITS.fullmatch(text) and phonenumbers.country_code_for_region(country) == _NANP:
        return f"+1{text}"
    try:
        parsed = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def _build(options: Options) -> Step:
    style, country = options["style"], options["country"].upper()
    if country not in phonenumbers.SUPPORTED_REGIONS:
        raise FormatterError(f'"country" must be a country code of two letters, not {country}.')

    def step(value: Value, snapshot: Snapshot) -> Value:
        digits = _NO_DIGIT.sub("", as_text(value))
        if not digits:
            # "anonymous" says something; cut down to its digits it would not.
            return None if style in _DIGITS_ONLY else value
        if style == "last10":
            return digits[-10:]
        number = e164(value, country)
        return None if number is None else _written(number, style)

    return step


def _written(number: str, style: str) -> str:
    """A number in E.164 as the style has it."""
    match style:
        case "e164":
            return number
        case "digits":
            return number[1:]
        case "international":
            return _formatted(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    national = _formatted(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    separator = _SEPARATORS.get(style)
    return national if separator is None else separator.join(_DIGITS.findall(national))


def _formatted(number: str, form: int) -> str:
    return str(phonenumbers.format_number(phonenumbers.parse(number), form))


PHONE = FormatterSpec(
    "phone",
    "Phone number",
    (
        Option(
            "style",
            "Write as",
            OptionKind.CHOICE,
            choices=(
                ("e164", "E.164: +17776734736"),
                ("international", "International: +1 777-673-4736"),
                ("national", "National: (777) 673-4736"),
                ("dashes", "With dashes: 777-673-4736"),
                ("dots", "With dots: 777.673.4736"),
                ("spaces", "With blanks: 777 673 4736"),
                ("digits", "Digits with country code: 17776734736"),
                ("last10", "Last ten digits: 7776734736"),
            ),
        ),
        Option("country", "Country of numbers without a code", OptionKind.TEXT, "US", largest=2),
    ),
    _build,
)
