"""Every variable that the code reads from the environment is documented, and no other is."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.architecture.documented import documented_settings
from tests.architecture.image import BASE_DIR, compose_variables

# Set by operating systems, not by who runs Hookline.
FOREIGN = {"DJANGO_SETTINGS_MODULE"}
# What compose.yaml says itself, or what has no meaning in a container.
NOT_FOR_CONTAINERS = {
    *("DATABASE_URL", "REDIS_URL", "PORT", "HEARTBEAT_FILE"),
    *("DEBUG", "DATA_DIR", "DEMO_RECEIVER_URL"),
}


def names_read(path: Path) -> Iterator[str]:
    """Yield what a file reads: `env("X")`, `env.int("X")`, `os.environ["X"]` and their like."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]):
                spelled = ast.unparse(function)
                reads = ("os.environ.get", "os.environ.setdefault", "os.getenv")
                if spelled in reads or spelled == "env" or spelled.startswith("env."):
                    yield name
            case ast.Subscript(value=value, slice=ast.Constant(value=str(name))):
                if ast.unparse(value) == "os.environ":
                    yield name


@cache
def all_names_read() -> set[str]:
    files = [*(BASE_DIR / "config").rglob("*.py"), *(BASE_DIR / "apps").rglob("*.py")]
    return {name for file in files for name in names_read(file)} - FOREIGN


class TestConfigurationDocument:
    def test_has_every_variable_that_the_code_reads(self) -> None:
        assert all_names_read() - documented_settings() == set()

    def test_has_every_variable_of_the_compose_file(self) -> None:
        assert compose_variables() - documented_settings() == set()

    def test_has_nothing_else_that_the_compose_file_does_not_pass_on(self) -> None:
        assert documented_settings() - compose_variables() == NOT_FOR_CONTAINERS

    def test_has_no_variable_that_is_gone(self) -> None:
        assert documented_settings() - all_names_read() - compose_variables() == set()

    def test_finds_what_the_settings_read(self) -> None:
        """So that the tests above can not pass for want of names."""
        assert {"DEBUG", "SECRET_KEY", "DATABASE_URL", "EGRESS_ALLOW"} <= all_names_read()
