"""How long the receivers of an IVR take, and how often they decide."""

from dataclasses import dataclass
from typing import Final

from django.db import connection

from apps.ivr.models import DecidedBy, Ivr

# The newest exchanges that figures are made of, so that they cost the same for a busy IVR.
MOST_COUNTED: Final = 1_000
_FIGURES = """
SELECT count({column}),
  count(*) FILTER (WHERE decided_by = %s),
  percentile_cont(0.5) WITHIN GROUP (ORDER BY {column}),
  percentile_cont(0.95) WITHIN GROUP (ORDER BY {column}),
  max({column}),
  percentile_cont(0.95) WITHIN GROUP (
    ORDER BY total_ms - coalesce(target_ms, 0) - coalesce(fallback_ms, 0))
FROM (
  SELECT decided_by, target_ms, fallback_ms, total_ms FROM ivr_ivrexchange
  WHERE ivr_id = %s ORDER BY created_at DESC LIMIT %s
) newest
"""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One URL of a web hook: milliseconds that it took, and what Hookline added to them."""

    label: str
    url: str
    asked: int
    decided: int
    p50_ms: float | None
    p95_ms: float | None
    longest_ms: float | None
    overhead_p95_ms: float | None


def endpoints_of(ivr: Ivr) -> list[Endpoint]:
    """Return the figures of the target and, if there is one, the fallback."""
    hook = ivr.hook
    steps = [(DecidedBy.TARGET, "target_ms", hook.target_url)]
    if hook.fallback_url:
        steps.append((DecidedBy.FALLBACK, "fallback_ms", hook.fallback_url))
    found = []
    with connection.cursor() as cursor:
        for step, column, url in steps:
            cursor.execute(_FIGURES.format(column=column), [step.value, ivr.pk, MOST_COUNTED])
            found.append(Endpoint(step.label, url, *cursor.fetchone()))
    return found
