"""The benchmarks of fairness, growth, intake and chaos, in a small size, and the page about all."""

import argparse
from importlib import import_module

import pytest

from bench.__main__ import BENCHMARKS
from bench.report import RUNS, Finding, Run, page
from tests.bench.test_delivering import run


class TestFairness:
    def test_tells_of_the_small_and_of_the_healthy(self) -> None:
        size = ("--due", "500", "--deliveries", "98", "--hanging", "20", "--rounds", "1")
        figures = run("fairness", *size)
        ledger = figures["ledger"]
        assert figures["due"] == 500
        assert ledger["planned"] == 2 * 98 + 20 + 500 + 5
        assert ledger["pending"] >= 20
        assert (ledger["lost"], ledger["doubled"]) == (0, 0)
        assert figures["small_account_s"] > 0
        assert figures["healthy_per_s"] > 0


class TestGrowth:
    def test_sends_the_same_with_and_without_a_history(self) -> None:
        figures = run("growth", "--attempts", "500", "--deliveries", "50", "--rounds", "1")
        assert figures["attempts"] == 500
        assert figures["ledger"]["received"] == 100
        assert figures["growth_ratio"] > 0


class TestLists:
    def test_asks_for_the_first_and_the_last_page(self) -> None:
        figures = run("lists", "--deliveries", "200", "--limit", "2", "--rounds", "6")
        assert figures["deliveries"] == 200
        assert figures["p95_ms"] > 0
        assert figures["end_ratio"] > 0
        assert figures["cpu_ms"].keys() == {"web", "database"}


class TestIntake:
    def test_sends_all_that_was_taken_in(self) -> None:
        load = ("--rate", "20", "--batch-rate", "100", "--seconds", "1")
        figures = run("intake", "--history", "50", *load)
        assert figures["ledger"]["planned"] == 2 * (50 + 20 + 20 + 100)
        assert figures["ledger"]["received"] == figures["ledger"]["planned"]
        assert figures["single_per_s"] > 0


class TestChaos:
    def test_loses_nothing_and_knows_every_request(self) -> None:
        size = ("--deliveries", "500", "--kills", "4", "--flushes", "1", "--restarts", "1")
        figures = run("chaos", *size, "--redis-restarts", "1")
        assert figures["ledger"]["received"] == 500
        assert figures["ledger"]["lost"] == 0
        assert figures["repeated"] <= figures["in_flight"]
        assert figures["log_agrees"]


@pytest.mark.parametrize("run", RUNS, ids=lambda run: " ".join((run.name, *run.options)))
def test_each_run_has_options_that_there_are(run: Run) -> None:
    parser = argparse.ArgumentParser(exit_on_error=False)
    assert run.name in BENCHMARKS
    import_module(f"bench.{run.name}").add_arguments(parser)
    parser.parse_args(run.options)


class TestThePage:
    def test_says_what_was_wanted_and_found(self) -> None:
        good, bad = (
            Finding(run, run.title, {"void": False} | {name: found for name, *_ in run.wanted}, 7.0)
            for run, found in zip(RUNS[1:3], (10_000, 10), strict=True)
        )
        text = page([good, bad])
        assert "| throughput: 8,000 deliveries a second | 10,000 | met |" in text
        assert "| throughput: 3,000 deliveries a second | 10 | **missed** |" in text
        assert "VOID" in text

    def test_makes_nothing_of_a_void_run(self) -> None:
        run = RUNS[1]
        void = Finding(run, "VOID", {"void": True, "rate_per_s": 9_000, "naive_ratio": 40}, 7.0)
        gone = Finding(run, "It broke.", None, 7.0)
        for finding in (void, gone):
            assert finding.has_failed
            assert "| met |" not in page([finding])
