"""All benchmarks, one after the other, and the page that keeps what they found.

`python -m bench` prints them; with `--write FILE`, as `make bench` does, they go into a page of
Markdown, with the machine and the versions.
"""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.machine import description

# How it is measured, in the words of the page.
_METHOD = Path(__file__).with_name("method.md")
# What bounds the figures, by profiles: written by hand.
_BOUNDS = Path(__file__).with_name("bounds.md")
# While the host takes more than this, percentiles tell of the host. Such a run is made once more,
# as long as there is time, and the one it took less from counts, whatever either found.
_MOST_STOLEN_PERCENT = 2.0
_MOST_REPEATING_S = 110.0


@dataclass(frozen=True, slots=True)
class Run:
    """A benchmark with its options, and what is wanted of it: figure, least or most, in words.

    One that `is_delicate` is of milliseconds.
    """

    name: str
    options: tuple[str, ...]
    title: str
    wanted: tuple[tuple[str, str, float, str], ...]
    is_delicate: bool = False

    def command(self) -> list[str]:
        return [sys.executable, "-m", "bench", self.name, *self.options, "--json"]


# The numbers that Hookline is built to, on two cores.
RUNS = (
    Run("render", (), "Rendering and extraction", ()),
    Run(
        "throughput",
        (),
        "Throughput: 20,000 deliveries of about 700 bytes to 50 endpoints, one worker",
        (
            ("rate_per_s", ">=", 8_000, "8,000 deliveries a second"),
            ("ceiling_ratio", ">=", 0.45, "0.45 of aiohttp alone"),
            ("naive_ratio", ">=", 30, "30 times one RQ job a delivery"),
        ),
    ),
    Run(
        "throughput",
        ("--receiver-delay-ms", "100", "--reference-seconds", "0"),
        "Throughput with a receiver that takes 100 ms",
        (("rate_per_s", ">=", 3_000, "3,000 deliveries a second"),),
    ),
    Run(
        "latency",
        ("--rate", "200"),
        "Latency at 200 a second, from planned to first byte",
        (("p50_ms", "<=", 25, "p50 25 ms"), ("p99_ms", "<=", 100, "p99 100 ms")),
        is_delicate=True,
    ),
    Run(
        "latency",
        ("--rate", "1000"),
        "Latency at 1,000 a second, from planned to first byte",
        (("p50_ms", "<=", 25, "p50 25 ms"), ("p99_ms", "<=", 100, "p99 100 ms")),
        is_delicate=True,
    ),
    Run(
        "ivr",
        (),
        "IVR: exchanges at 100 a second, beside the receiver's own time",
        (("overhead_p95_ms", "<=", 15, "15 ms added, p95"),),
        is_delicate=True,
    ),
    Run(
        "fairness",
        (),
        "Fairness: one beside 1,000,000 due, and healthy endpoints beside one that hangs",
        (
            ("small_account_s", "<=", 1.0, "the one within a second"),
            ("healthy_drop", "<=", 10, "healthy ones at most 10% slower"),
            ("rss_mb", "<", 250, "worker under 250 MB"),
        ),
    ),
    Run(
        "growth",
        (),
        "Growth: 5,000,000 attempts of history",
        (
            ("growth_ratio", ">=", 0.9, "0.9 of the rate without history"),
            ("claim_by_index_only", ">=", 1, "the claim reads no table whole"),
        ),
    ),
    Run(
        "lists",
        (),
        "Lists of the API: pages of 100 rows, with 1,000,000 deliveries in the table",
        (
            ("p95_ms", "<=", 60, "p95 60 ms"),
            ("end_ratio", "<=", 1.5, "the last page as quick as the first"),
        ),
    ),
    Run(
        "intake",
        (),
        "Intake: one web process, each event planned to two webhooks",
        (
            ("single_per_s", ">=", 400, "400 single events a second"),
            ("batch_per_s", ">=", 3_000, "3,000 a second in batches of 100"),
        ),
    ),
    Run(
        "chaos",
        (),
        "Chaos: 50,000 deliveries, 20 workers killed, Redis wiped 5 times",
        (("log_agrees", ">=", 1, "log and receiver agree"),),
    ),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one run printed, and its figures; None for a run that ended without any.

    `set_aside` is one of the same that the host took more from.
    """

    run: Run
    table: str
    figures: Mapping[str, Any] | None
    seconds: float
    set_aside: "Finding | None" = None

    @property
    def has_failed(self) -> bool:
        return self.figures is None or bool(self.figures["void"])

    @property
    def stolen_percent(self) -> float:
        return float(self.figures["stolen_percent"]) if self.figures else 0.0

    @property
    def is_disturbed(self) -> bool:
        return self.run.is_delicate and self.stolen_percent > _MOST_STOLEN_PERCENT

    def or_rather(self, again: "Finding") -> "Finding":
        """Return the one that the host took less from, with the other set aside."""
        first, second = sorted((self, again), key=lambda finding: finding.stolen_percent)
        return replace(first, set_aside=second)


def run_all(path: Path | None, *, with_json: bool) -> int:
    """Run everything, print it as it comes, write the page if there is one; return the status."""
    findings = []
    spare_s = _MOST_REPEATING_S
    for run in RUNS:
        finding = _run(run, with_json=with_json)
        if finding.is_disturbed and finding.seconds <= spare_s:
            spare_s -= finding.seconds
            finding = finding.or_rather(_run(run, with_json=with_json))
        findings.append(finding)
    if path is not None:
        path.write_text(page(findings))
    return int(any(finding.has_failed for finding in findings))


def _run(run: Run, *, with_json: bool) -> Finding:
    """Run and print one, in a process of its own: none inherits another's memory or settings."""
    began = time.monotonic()
    ended = subprocess.run(run.command(), capture_output=True, text=True, check=False)
    lines = ended.stdout.splitlines()
    figures = None
    if lines and lines[-1].startswith("{"):
        figures = json.loads(lines.pop())
    table = "\n".join(lines) if figures is not None else f"{run.name}\n{ended.stderr[-2_000:]}"
    print(table, flush=True)
    if with_json and figures is not None:
        print(json.dumps(figures), flush=True)
    return Finding(run, table, figures, time.monotonic() - began)


def page(findings: Sequence[Finding]) -> str:
    """Return the page about these findings."""
    aside = [finding.set_aside for finding in findings if finding.set_aside]
    took_s = sum(finding.seconds for finding in (*findings, *aside))
    parts = [
        "# Benchmarks",
        "Written by `make bench`, which runs everything below on the machine where it is called."
        " Numbers of other machines differ; the ratios, taken in the same run, differ less.",
        f"Run on {datetime.now(UTC):%Y-%m-%d}, in {took_s / 60:.0f} minutes. {description()}",
        "## In short",
        _summary(findings),
        "## How it is measured",
        _METHOD.read_text().strip(),
        "## What bounds it",
        _BOUNDS.read_text().strip(),
        "## What was found",
        *(_section(finding) for finding in findings),
    ]
    return "\n\n".join(parts) + "\n"


def _summary(findings: Sequence[Finding]) -> str:
    rows = ["| Wanted | Found | |", "|---|---|---|"]
    for finding in findings:
        for name, sign, bound, words in finding.run.wanted:
            found = None if finding.figures is None else finding.figures.get(name)
            verdict = _verdict(found, sign, bound, is_void=finding.has_failed)
            rows.append(f"| {finding.run.name}: {words} | {_shown(found)} | {verdict} |")
    return "\n".join(rows)


def _verdict(found: float | None, sign: str, bound: float, *, is_void: bool) -> str:
    if is_void or found is None:
        return "void"
    is_met = found >= bound if sign == ">=" else found < bound if sign == "<" else found <= bound
    return "met" if is_met else "**missed**"


def _shown(found: float | None) -> str:
    if found is None:
        return "-"
    return ("yes" if found else "no") if isinstance(found, bool) else f"{found:,}"


def _section(finding: Finding) -> str:
    options = " ".join(("", finding.run.name, *finding.run.options))
    parts = [
        f"### {finding.run.title}",
        f"`python -m bench{options}`, {finding.seconds:.0f} s",
        f"```\n{finding.table}\n```",
    ]
    if aside := finding.set_aside:
        parts += ["Set aside, as the host took more meanwhile:", f"```\n{aside.table}\n```"]
    return "\n\n".join(parts)
