"""What a run tells of its machine."""

from pathlib import Path

import pytest

from bench import machine
from bench.machine import StolenTime
from bench.result import Result


def _tell(times: Path, *, stolen: int, idle: int) -> None:
    # Whole at once, as the kernel does: the clock of the run may be reading.
    told = times.with_suffix(".new")
    told.write_text(f"cpu  0 0 0 {idle} 0 0 0 {stolen} 0 0\ncpu0 0 0 0 {idle} 0 0 0 0 0 0\n")
    told.replace(times)


class TestStolenTime:
    def test_is_the_share_that_the_host_took(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        times = tmp_path / "stat"
        monkeypatch.setattr(machine, "_TIMES", times)
        _tell(times, stolen=40, idle=1_000)
        with StolenTime() as stolen:
            _tell(times, stolen=65, idle=1_075)
        assert stolen.percent == 25.0
        assert stolen.worst_percent == 25.0

    def test_is_none_where_the_kernel_does_not_tell(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(machine, "_TIMES", tmp_path / "missing")
        with StolenTime() as stolen:
            pass
        assert (stolen.percent, stolen.worst_percent) == (0.0, 0.0)

    def test_stands_beside_what_was_measured(self) -> None:
        with StolenTime() as stolen:
            pass
        result = Result("render", [("Some", "1")], {"some": 1}).beside(stolen)
        assert result.figures.keys() == {"some", "stolen_percent", "stolen_worst_percent"}
        assert "Stolen by the host" in result.table()
