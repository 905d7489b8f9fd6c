"""How quickly the API lists rows, and counts them, with a long history in the tables.

One web process, one client, one request after the other. A list is asked for its first page and for
its last one, by a cursor that ends a page before the end; the time of one is that of its client.
Each round asks for every page once, so that a bad moment is not booked to one of them.
"""

import argparse
import time
from collections.abc import Mapping
from typing import Any

import requests

from apps.common.garbage import seldom_collecting
from bench.installation import installed
from bench.latency import percentile
from bench.processes import BenchmarkFailed, CpuMeter
from bench.receiver import receiving
from bench.result import Figure, Result
from bench.web import serving

_WEBHOOKS = 50
_DAYS = 30
_WARM_UP = 5
# Evenly over the days, so that no two rows of a list begin at the same moment.
_MADE_AT = f"now() - random() * interval '{_DAYS} days'"
_LISTS = {
    "deliveries": "/deliveries",
    "deliveries of a webhook": "/deliveries?webhook={webhook}",
    "deliveries that failed": "/deliveries?state=failed",
    "deliveries, webhook and call whole": "/deliveries?expand=webhook,call",
    "calls": "/calls",
    "webhooks": "/webhooks",
    "audit": "/audit",
}
_COUNTS = {"usage": "/usage", "stats": "/webhooks/{webhook}/stats?days=31"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark."""
    parser.add_argument("--deliveries", type=int, default=1_000_000, help="in the history")
    parser.add_argument("--rounds", type=int, default=40, help="requests for each page")
    parser.add_argument("--limit", type=int, default=100, help="rows of a page")


def measure(arguments: argparse.Namespace) -> Result:
    """Measure; void unless the deliveries are there, and each page has as many rows as it can."""
    with installed() as installation, receiving(installation.data_dir) as receiver:
        from django.db import connection

        from apps.delivery.models import Delivery
        from bench.world import make_world, plant, unchecked

        world = make_world(
            [receiver.url(f"/ok/{number}") for number in range(_WEBHOOKS)], fan_out=_WEBHOOKS
        )
        with unchecked():
            planned = plant(
                world,
                arguments.deliveries,
                seeded=lambda: _end(Delivery.objects.filter(account=world.account)),
                made_at=_MADE_AT,
            )
        # Some have failed: a page of them is found among all the others.
        share = max(1, planned // (2 * arguments.limit))
        with connection.cursor() as cursor:
            cursor.execute(_FAIL, [share])
            cursor.execute("VACUUM ANALYZE")
        names = {"webhook": world.webhooks[0].public_id}
        with serving(installation) as web, seldom_collecting():
            ask = _Asking(f"{web.address}/api/v1", world.token, arguments.limit, arguments.rounds)
            meter = CpuMeter(web=web.pid, database=installation.database_pid)
            pages = ask.in_turn(
                {
                    f"{what}, {place}": page
                    for what, path in _LISTS.items()
                    for place, page in ask.ends(path.format(**names)).items()
                }
            )
            used_ms = {
                name: 1000 * used_s / ask.requests for name, used_s in meter.used_s().items()
            }
            counts = ask.in_turn(
                {what: (path.format(**names), {}) for what, path in _COUNTS.items()}
            )
    p95 = {what: percentile(waits, 95) for what, waits in pages.items()}
    slowest = max(p95, key=lambda what: p95[what])
    figures: dict[str, Figure] = {
        "deliveries": planned,
        "cpu_ms": {name: round(each_ms, 2) for name, each_ms in used_ms.items()},
        "p95_ms": round(p95[slowest], 1),
        "counts_p95_ms": round(max(percentile(waits, 95) for waits in counts.values()), 1),
        "end_ratio": round(
            max(
                percentile(pages[f"{what}, last page"], 50)
                / percentile(pages[f"{what}, first page"], 50)
                for what in _LISTS
            ),
            2,
        ),
    }
    return Result(
        name="lists",
        rows=[
            ("Deliveries", f"{planned:10,}"),
            (
                "Processor time of a page",
                ", ".join(f"{name} {each_ms:.1f} ms" for name, each_ms in used_ms.items()),
            ),
            ("Slowest page", f"{slowest}: p95 {p95[slowest]:.0f} ms"),
            *(
                (what, f"{percentile(waits, 50):10.1f} ms, p95 {percentile(waits, 95):.1f} ms")
                for what, waits in {**pages, **counts}.items()
            ),
        ],
        figures=figures,
    )


_FAIL = """
UPDATE delivery_delivery SET state = 'failed', last_status = 500
WHERE id IN (SELECT id FROM (
  SELECT id, row_number() OVER (ORDER BY id) AS number FROM delivery_delivery) numbered
  WHERE number %% %s = 0)
"""


def _end(deliveries: Any) -> None:
    """Have deliveries be over."""
    deliveries.update(state="succeeded", next_attempt_at=None, attempt_count=1, last_status=200)


# A path and its query.
_Page = tuple[str, Mapping[str, str]]


class _Asking:
    """A client that asks for the same pages again and again. Milliseconds, in order of length."""

    def __init__(self, base: str, token: str, limit: int, rounds: int) -> None:
        self._base, self._limit, self._rounds = base, limit, rounds
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"
        self.requests = 0

    def ends(self, path: str) -> Mapping[str, _Page]:
        """Return the first page of a list and its last one."""
        from apps.common.api.pagination import cursor_of

        page = {"limit": str(self._limit)}
        from_end = self._get(path, {"limit": str(self._limit + 1), "order": "created_at"})
        last = from_end["data"][-1]
        behind = cursor_of("-created_at", last["created_at"], _key_of(last["id"]))
        return {"first page": (path, page), "last page": (path, {**page, "cursor": behind})}

    def in_turn(self, pages: Mapping[str, _Page]) -> Mapping[str, list[float]]:
        """Ask for each page so often, and return how long each time took, by its name."""
        rounds = [
            {what: self._timed(page) for what, page in pages.items()} for _ in range(self._rounds)
        ]
        counted = rounds[_WARM_UP:] or rounds
        return {what: sorted(took[what] for took in counted) for what in pages}

    def _get(self, path: str, parameters: Mapping[str, str]) -> Any:
        self.requests += 1
        answer = self._session.get(self._base + path, params=parameters, timeout=60)
        if answer.status_code != 200:
            raise BenchmarkFailed(f"{path} was answered {answer.status_code}: {answer.text[:300]}")
        return answer.json()

    def _timed(self, page: _Page) -> float:
        began = time.perf_counter()
        self._get(*page)
        return (time.perf_counter() - began) * 1000


def _key_of(public_id: str) -> str:
    from apps.common.ids import decode_public_id

    return str(decode_public_id(public_id.rpartition("_")[0], public_id))
