"""How telephone numbers are written. Pure."""

from typing import Final

# A plus, the country code, and the rest: 7 to 15 digits in all (ITU-T E.164).
E164: Final = r"\+[1-9][0-9]{6,14}"

_WITHHELD = frozenset({"anonymous", "restricted", "unavailable", "unknown", "private", "withheld"})


def is_withheld(text: str) -> bool:
    """Tell whether this is a word for a number that the caller does not show."""
    return text.strip().lower() in _WITHHELD
