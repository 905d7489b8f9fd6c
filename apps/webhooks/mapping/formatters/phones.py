"""Phone numbers: E.164, national, digits only, the last ten digits."""

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
            return value if style in ("e164", "national") else None
        number = e164(value, country)
        match style:
            case "e164":
                return number
            case "national":
                return None if number is None else _national(number)
            case "digits":
                return None if number is None else number[1:]
        return digits[-10:]

    return step


def _national(number: str) -> str:
    parsed = phonenumbers.parse(number)
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL))


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
                ("national", "National: (777) 673-4736"),
                ("digits", "Digits with country code: 17776734736"),
                ("last10", "Last ten digits: 7776734736"),
            ),
        ),
        Option("country", "Country of numbers without a code", OptionKind.TEXT, "US", largest=2),
    ),
    _build,
)
