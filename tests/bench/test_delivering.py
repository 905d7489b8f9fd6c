"""The benchmarks of delivering, in a small size: a real worker and an exact ledger."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from apps.delivery.models import Delivery
from bench.ledger import settle
from bench.receiver import Arrival, manners_of, receiving
from tests.factories import DeliveryFactory


def run(*arguments: str) -> dict[str, Any]:
    """Run a benchmark as people do; return its JSON object."""
    finished = subprocess.run(
        [sys.executable, "-m", "bench", *arguments, "--json"],
        capture_output=True,
        check=False,
        text=True,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    figures: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    return figures


class TestThroughput:
    def test_counts_every_delivery_at_the_receiver(self) -> None:
        size = ("--deliveries", "120", "--endpoints", "4", "--fan-out", "2")
        figures = run("throughput", *size, "--reference-seconds", "1")
        assert figures["ledger"] == {
            "planned": 120,
            "received": 120,
            "succeeded": 120,
            "failed": 0,
            "pending": 0,
            "lost": 0,
            "doubled": 0,
        }
        for name in ("rate_per_s", "ceiling_per_s", "naive_per_s", "ceiling_ratio", "rss_mb"):
            assert figures[name] > 0


class TestLatency:
    def test_leaves_nothing_pending(self) -> None:
        figures = run("latency", "--rate", "100", "--seconds", "1", "--endpoints", "4")
        assert figures["ledger"]["planned"] == figures["ledger"]["received"] == 100
        assert figures["ledger"]["pending"] == 0
        assert 0 < figures["p50_ms"] <= figures["p95_ms"] <= figures["p99_ms"]


class TestTheReceiver:
    def test_counts_ids_until_it_is_told_to_forget(self, tmp_path: Path) -> None:
        with receiving(tmp_path) as receiver:
            for path in ("/ok/1", "/delay/5/1", "/status/201/1"):
                answer = requests.post(
                    receiver.url(path), data=b"{}", headers={"webhook-id": "msg_1"}, timeout=10
                )
                assert answer.json() == {"ok": True}
            assert receiver.ledger()["msg_1"].requests == 3
            receiver.forget()
            assert receiver.ledger() == {}

    def test_takes_nothing_that_it_refuses_or_leaves_hanging(self) -> None:
        assert manners_of(b"/status/201/1").is_accepted
        assert not manners_of(b"/status/503/1").is_accepted
        assert not manners_of(b"/hang/1").is_accepted
        assert manners_of(b"/delay/100/1").delay_s == 0.1


@pytest.mark.django_db
class TestTheLedger:
    def test_finds_what_nobody_has(self) -> None:
        sent, unseen = DeliveryFactory(), DeliveryFactory()
        waiting = DeliveryFactory(state="pending")
        arrivals = {sent.public_id: Arrival(0.0, 2, 2), waiting.public_id: Arrival(0.0, 1, 0)}

        ledger = settle(Delivery.objects.all(), arrivals, planned=3)

        assert unseen.state == "succeeded"
        assert ledger.figures() == {
            "planned": 3,
            "received": 1,
            "succeeded": 2,
            "failed": 0,
            "pending": 1,
            "lost": 1,
            "doubled": 1,
        }
        assert ledger.void_because == "1 were lost."

    def test_finds_what_nobody_planned(self) -> None:
        arrivals = {"msg_stranger": Arrival(0.0, 1, 1)}
        ledger = settle(Delivery.objects.all(), arrivals, planned=0)
        assert ledger.void_because == "1 arrived that were never planned."


class TestIvr:
    def test_counts_every_exchange(self) -> None:
        figures = run("ivr", "--rate", "20", "--seconds", "1", "--receiver-ms", "5")
        assert figures["exchanges"] == 20
        assert 0 < figures["overhead_p50_ms"] <= figures["overhead_p95_ms"]
