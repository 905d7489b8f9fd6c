"""The time zones that there are."""

import zoneinfo
from functools import cache


@cache
def time_zones() -> frozenset[str]:
    """Return their IANA names; to find them on the disk takes 35 ms."""
    return frozenset(zoneinfo.available_timezones())
