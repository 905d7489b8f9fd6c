"""The supervisor over real children: shells that die, linger or leave others behind."""

import io
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.common.heartbeat import Pulse
from apps.common.supervisor import Child, StopSignals, Supervisor
from tests.common.processes import janitors_of, processes_of, python, read_until, wait_until

STUBBORN = "trap '' TERM; echo here; while true; do sleep 0.1; done"

SUPERVISE = """
import sys
from apps.common.supervisor import Child, StopSignals, Supervisor
mark = sys.argv[1]
with StopSignals() as signals, Supervisor(signals) as supervisor:
    family = f": {mark}; sleep 600 & while true; do echo tick; sleep 0.2; done"
    supervisor.start(Child("family", ["sh", "-c", family], env={"MARK": mark}))
    stubborn = f": {mark}; trap '' TERM; while true; do sleep 0.1; done"
    supervisor.start(
        Child("stubborn", ["sh", "-c", stubborn], env={"MARK": mark}, stop_grace_s=0.5)
    )
    supervisor.say("ready")
    supervisor.run()
    supervisor.say("stopping")
"""


def shell(name: str, script: str, mark: object = "", **how: object) -> Child:
    env = {"MARK": str(mark)}
    return Child(name, ["sh", "-c", script], env=env, **how)  # type: ignore[arg-type]


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def supervisor(out: io.StringIO) -> Iterator[Supervisor]:
    with StopSignals() as signals, Supervisor(signals, out) as supervisor:
        yield supervisor


class TestSupervisor:
    def test_puts_the_name_before_each_line(self, supervisor: Supervisor, out: io.StringIO) -> None:
        supervisor.run_once(shell("speaker", "echo one; echo two >&2; printf three"))
        assert out.getvalue() == "speaker  | one\nspeaker  | two\nspeaker  | three\n"

    def test_runs_a_child_once_and_tells_its_exit_code(self, supervisor: Supervisor) -> None:
        assert supervisor.run_once(shell("fails", "exit 3")) == 3

    def test_keeps_output_that_is_asked_for(self, supervisor: Supervisor, out: io.StringIO) -> None:
        with tempfile.TemporaryFile() as kept:
            supervisor.run_once(shell("speaker", "echo one; echo two >&2", output_to=kept))
            kept.seek(0)
            assert kept.read() == b"one\n"
        assert out.getvalue() == "speaker  | two\n"

    def test_shows_bytes_that_are_no_text(self, supervisor: Supervisor, out: io.StringIO) -> None:
        supervisor.run_once(shell("speaker", r"printf '\377\n'"))
        assert out.getvalue() == "speaker  | \ufffd\n"

    def test_starts_a_dead_child_again_after_growing_pauses(
        self, supervisor: Supervisor, out: io.StringIO
    ) -> None:
        supervisor.start(shell("mortal", "echo born; exit 2"))
        assert supervisor.wait_for(lambda: out.getvalue().count("born") == 3, timeout_s=60)
        assert "mortal ended with code 2; again in 0.5 s" in out.getvalue()
        assert "mortal ended with code 2; again in 1 s" in out.getvalue()

    def test_starts_a_killed_child_again(
        self, supervisor: Supervisor, out: io.StringIO, tmp_path: Path
    ) -> None:
        supervisor.start(shell("mortal", "echo born; exec sleep 600", tmp_path))
        assert supervisor.wait_for(lambda: "born" in out.getvalue(), timeout_s=60)
        (pid,) = processes_of(tmp_path)
        os.kill(pid, signal.SIGKILL)
        assert supervisor.wait_for(lambda: out.getvalue().count("born") == 2, timeout_s=60)
        assert "mortal was ended by SIGKILL; again in 0.5 s" in out.getvalue()

    def test_kills_a_child_by_its_name(self, supervisor: Supervisor, out: io.StringIO) -> None:
        supervisor.start(shell("mortal", "echo born; exec sleep 600"))
        supervisor.start(shell("other", "echo born; exec sleep 600"))
        assert supervisor.wait_for(lambda: out.getvalue().count("born") == 2, timeout_s=60)
        supervisor.kill("mortal")
        assert supervisor.wait_for(lambda: out.getvalue().count("born") == 3, timeout_s=60)
        assert "mortal was ended by SIGKILL" in out.getvalue()
        assert "other was ended" not in out.getvalue()

    def test_ends_what_a_dead_child_left_behind(
        self, supervisor: Supervisor, tmp_path: Path
    ) -> None:
        supervisor.run_once(shell("parent", "sleep 600 & exit 1", tmp_path))
        assert processes_of(tmp_path) == {}

    def test_stops_the_last_started_first(
        self, supervisor: Supervisor, out: io.StringIO, tmp_path: Path
    ) -> None:
        script = "trap 'echo bye; exit' TERM; echo here; while true; do sleep 0.05; done"
        for name in ("first", "second", "third"):
            supervisor.start(shell(name, script, tmp_path))
        assert supervisor.wait_for(lambda: out.getvalue().count("here") == 3, timeout_s=60)
        supervisor.stop()
        farewells = [line for line in out.getvalue().splitlines() if line.endswith("bye")]
        assert farewells == ["third    | bye", "second   | bye", "first    | bye"]
        assert processes_of(tmp_path) == {}

    def test_kills_a_child_that_outlives_its_grace(
        self, supervisor: Supervisor, out: io.StringIO, tmp_path: Path
    ) -> None:
        supervisor.start(shell("stubborn", STUBBORN, tmp_path, stop_grace_s=0.3))
        assert supervisor.wait_for(lambda: "here" in out.getvalue(), timeout_s=60)
        supervisor.stop()
        assert "stubborn does not stop; killing it" in out.getvalue()
        assert processes_of(tmp_path) == {}

    def test_stops_at_a_signal(self, supervisor: Supervisor, tmp_path: Path) -> None:
        supervisor.start(shell("child", "sleep 600", tmp_path))
        os.kill(os.getpid(), signal.SIGTERM)
        supervisor.run()
        assert supervisor.is_stopping
        assert supervisor.run_once(shell("late", "sleep 600", tmp_path)) is None
        supervisor.stop()
        assert processes_of(tmp_path) == {}

    def test_loses_patience_at_a_second_signal(
        self, supervisor: Supervisor, out: io.StringIO, tmp_path: Path
    ) -> None:
        supervisor.start(shell("stubborn", STUBBORN, tmp_path, stop_grace_s=600))
        assert supervisor.wait_for(lambda: "here" in out.getvalue(), timeout_s=60)
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
        supervisor.stop()
        assert processes_of(tmp_path) == {}

    def test_starts_a_child_again_that_gives_no_sign_of_life(
        self, supervisor: Supervisor, out: io.StringIO, tmp_path: Path
    ) -> None:
        path = tmp_path / "heartbeat"
        beating = f"echo born as $$; while true; do touch {path}; sleep 0.1; done"
        child = shell("heart", beating, tmp_path, pulse=Pulse(path), patience_s=3.0)
        supervisor.start(child)
        assert not supervisor.wait_for(lambda: out.getvalue().count("born") > 1, timeout_s=5)

        os.kill(int(out.getvalue().split()[-1]), signal.SIGSTOP)
        assert supervisor.wait_for(lambda: out.getvalue().count("born") == 2, timeout_s=30)
        assert "heart gives no sign of life; killing it" in out.getvalue()

    def test_raises_for_a_program_that_is_not_there(self, supervisor: Supervisor) -> None:
        with pytest.raises(FileNotFoundError):
            supervisor.start(Child("missing", ["/no/such/program"]))

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_leaves_nothing_after_a_signal(self, number: int, tmp_path: Path) -> None:
        with python("-c", SUPERVISE, tmp_path) as process:
            read_until(process, "ready")
            # The shells have started; what they start comes a moment later.
            wait_until(lambda: len(processes_of(tmp_path)) >= 4)
            process.send_signal(number)
            read_until(process, "stopping")
            assert process.wait(60) == 0
        assert processes_of(tmp_path) == {}

    def test_leaves_nothing_when_killed_itself(self, tmp_path: Path) -> None:
        with python("-c", SUPERVISE, tmp_path) as process:
            read_until(process, "ready")
            process.kill()
            process.wait()
            wait_until(lambda: not processes_of(tmp_path))

    def test_leaves_nothing_when_killed_after_its_janitor(self, tmp_path: Path) -> None:
        with python("-c", SUPERVISE, tmp_path) as process:
            read_until(process, "ready")
            (first,) = janitors_of(process.pid)
            os.kill(first, signal.SIGKILL)
            wait_until(lambda: janitors_of(process.pid) - {first})

            process.kill()
            process.wait()
            wait_until(lambda: not processes_of(tmp_path))

    def test_stops_when_nobody_reads_its_output(self, tmp_path: Path) -> None:
        with python("-c", SUPERVISE, tmp_path) as process:
            read_until(process, "ready")
            assert process.stdout is not None
            process.stdout.close()
            process.wait(60)
        assert processes_of(tmp_path) == {}
