"""The benchmark of rendering runs, says what it measured, and fails when it is void."""

import json
import subprocess
import sys

from bench.__main__ import BENCHMARKS, main
from bench.result import Result


class TestRender:
    def test_ends_with_its_figures_as_one_json_object(self):
        finished = subprocess.run(
            [sys.executable, "-m", "bench", "render", "--rounds", "2", "--json"],
            capture_output=True,
            check=True,
            text=True,
        )
        figures = json.loads(finished.stdout.splitlines()[-1])
        assert (figures["name"], figures["void"]) == ("render", False)
        for name in ("json_us", "json_ratio", "xml_us", "xml_ratio", "extract_ms"):
            assert figures[name] > 0


class TestResult:
    def test_says_why_it_is_void(self):
        result = Result("x", [("Rate", "7 /s")], {"rate": 7}, void_because="One was lost.")
        assert result.table().splitlines() == ["x", "  Rate  7 /s", "  VOID: One was lost."]
        assert json.loads(result.as_json()) == {"name": "x", "void": True, "rate": 7}


class TestMain:
    def test_runs_every_benchmark_by_its_name(self, capsys):
        assert "render" in BENCHMARKS
        assert main(["render", "--rounds", "1"]) == 0
        assert capsys.readouterr().out.startswith("render\n")
