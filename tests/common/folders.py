"""Folders for embedded services, and copies of what they left in one."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """A folder that the account of PostgreSQL reaches, unlike `tmp_path`."""
    path = Path(tempfile.mkdtemp(prefix="hookline-test-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


def copied(left_behind: Path, to: Path) -> Path:
    """Copy it, with the owners of all files; PostgreSQL looks at them."""
    subprocess.run(["cp", "-a", f"{left_behind}/.", to], check=True)  # noqa: S607
    return to
