"""A pytest plugin: says whether the browser tests run, and refuses to go without where they must.

They need Debian's chromium, or another one named by `CHROMIUM`. Without one they are deselected,
and the report says so at its head and end; with `REQUIRE_BROWSER=1` that is an error.
"""

import os
import shutil
from pathlib import Path

import pytest

_BROWSER_TESTS = Path(__file__).parent


def chromium() -> str | None:
    """Return the browser to drive, if there is one."""
    wanted = os.environ.get("CHROMIUM")
    return shutil.which(wanted) if wanted else shutil.which("chromium")


def _missing() -> str:
    return "browser tests: NOT RUN, as there is no chromium (install it, or name it in CHROMIUM)"


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to run without a browser where one is required."""
    if os.environ.get("REQUIRE_BROWSER") == "1" and chromium() is None:
        raise pytest.UsageError(f"REQUIRE_BROWSER=1, but {_missing()}")


def pytest_report_header() -> str:
    """Say it before the tests."""
    found = chromium()
    return f"browser tests: with {found}" if found else _missing()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect them where there is no browser."""
    if chromium() is not None:
        return
    without = [item for item in items if _BROWSER_TESTS in item.path.parents]
    items[:] = [item for item in items if item not in without]
    config.hook.pytest_deselected(items=without)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it again at the end, where people look."""
    if chromium() is None:
        terminalreporter.write_line(_missing(), yellow=True)
