"""The countries that there are."""

from typing import Final

from phonenumbers import SUPPORTED_REGIONS

# By their two letters (ISO 3166-1): those in which somebody can be called.
COUNTRIES: Final = frozenset(SUPPORTED_REGIONS)
