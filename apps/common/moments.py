"""Which times are told. Pure."""

from typing import Final

# Beyond these, times are mistakes, and can not be told in every time zone.
YEARS: Final = range(1970, 2200)
NOT_OF_THESE_YEARS: Final = "A time of the years 1970 to 2199, as 2026-03-28T00:05:00Z."
NO_OFFSET: Final = (
    "A time needs an offset, as in 2026-03-28T00:05:00Z or 2026-03-27T17:05:00-07:00."
)
