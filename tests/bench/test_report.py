"""The page that keeps what benchmarks found."""

import pytest

from bench.report import Finding, Run, page


def found(p95_ms: float, *, stolen: float, is_delicate: bool = True) -> Finding:
    wanted = (("p95_ms", "<=", 15, "p95 15 ms"),)
    run = Run("ivr", (), "IVR", wanted, is_delicate=is_delicate)
    figures = {"p95_ms": p95_ms, "stolen_percent": stolen, "void": False}
    return Finding(run, f"p95 {p95_ms} ms", figures, seconds=40.0)


class TestFinding:
    @pytest.mark.parametrize(("stolen", "is_disturbed"), [(2.0, False), (2.1, True)])
    def test_is_disturbed_where_the_host_took_much(
        self, stolen: float, *, is_disturbed: bool
    ) -> None:
        assert found(20.0, stolen=stolen).is_disturbed is is_disturbed

    def test_of_seconds_is_not_disturbed(self) -> None:
        assert not found(20.0, stolen=9.0, is_delicate=False).is_disturbed

    def test_without_figures_is_not_disturbed(self) -> None:
        run = Run("ivr", (), "IVR", (), is_delicate=True)
        assert not Finding(run, "It broke.", None, seconds=1.0).is_disturbed

    def test_that_the_host_took_less_from_counts_though_it_is_slower(self) -> None:
        quick, slow = found(12.0, stolen=8.0), found(16.0, stolen=4.0)
        for chosen in (quick.or_rather(slow), slow.or_rather(quick)):
            assert chosen.figures == slow.figures
            assert chosen.set_aside == quick


class TestPage:
    def test_says_what_is_met_by_the_run_that_counts(self) -> None:
        written = page([found(12.0, stolen=8.0).or_rather(found(16.0, stolen=4.0))])
        assert "| ivr: p95 15 ms | 16.0 | **missed** |" in written

    def test_shows_the_run_that_was_set_aside(self) -> None:
        written = page([found(12.0, stolen=8.0).or_rather(found(16.0, stolen=4.0))])
        assert written.index("p95 16.0 ms") < written.index("Set aside")
        assert written.index("Set aside") < written.index("p95 12.0 ms")
