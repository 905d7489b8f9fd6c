"""How telephone numbers are written. Pure."""

from typing import Final

# A plus, the country code, and the rest: 7 to 15 digits in all (ITU-T E.164).
E164: Final = r"\+[1-9][0-9]{6,14}"
