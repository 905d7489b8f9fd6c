"""What a process loads: pages and addresses only where somebody is answered, or checks them."""

import subprocess
import sys

import pytest

from tests.common.processes import BASE_DIR

PAGES = ("config.urls", "unfold.admin", "rest_framework.views")
LOADED = f"; import sys; print(*(name for name in {PAGES} if name in sys.modules))"


def loaded_by(code: str) -> list[str]:
    """Return which of the pages are loaded after this code, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", "import django; django.setup(); " + code + LOADED],
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "config.settings")


@pytest.mark.parametrize("name", ["worker", "sweep"])
def test_what_answers_nobody_loads_no_pages(name: str) -> None:
    code = (
        f"from apps.delivery.management.commands.{name} import Command;"
        " Command().check(tags=Command.requires_system_checks)"
    )
    assert loaded_by(code) == []


def test_the_checks_of_the_admin_load_the_pages_first() -> None:
    code = (
        "from django.core.checks import run_checks; run_checks(tags=['admin']);"
        " from django.contrib import admin; assert admin.site._registry"
    )
    assert "config.urls" in loaded_by(code)
