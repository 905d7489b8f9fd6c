"""Times as phone platforms write them. Pure."""

import datetime as dt
import re
from email.utils import parsedate_to_datetime

_NUMBER = re.compile(r"[0-9]{9,16}(?:\.[0-9]{1,9})?")
# An epoch beyond this is no number of seconds any more (year 5138), but of milliseconds, and so on.
_LARGEST_S = 10**11
_FORMS = (
    "%Y/%m/%d %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M %p",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
)


def read_moment(text: str, zone: dt.tzinfo) -> dt.datetime | None:
    """Return the time that a text means, None if it is none.

    ISO 8601, RFC 2822, seconds or parts of a second since 1970, and the usual American and European
    forms. Where it names no offset it is of the time zone `zone`. Returned in UTC.
    """
    text = text.strip()
    try:
        if _NUMBER.fullmatch(text):
            return _from_epoch(float(text))
        moment = _parsed(text)
        if moment is None:
            return None
        # Of the first and the last day there is, UTC may have none.
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None


def rfc3339(moment: dt.datetime) -> str:
    """Return a time as events have it."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _from_epoch(number: float) -> dt.datetime:
    while number >= _LARGEST_S:
        number /= 1000
    return dt.datetime.fromtimestamp(number, dt.UTC)


def _parsed(text: str) -> dt.datetime | None:
    for form in (None, *_FORMS):
        try:
            if form is None:
                return dt.datetime.fromisoformat(text)
            return dt.datetime.strptime(text, form)  # noqa: DTZ007 - the caller knows the zone
        except ValueError:
            continue
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
