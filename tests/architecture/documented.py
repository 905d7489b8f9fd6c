"""What docs/configuration.md documents: the names in the first column of its tables."""

import re
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parents[2]
_ROW = re.compile(r"^\| `([A-Z][A-Z0-9_]*)` \|", re.MULTILINE)


def documented_settings() -> set[str]:
    """Return the documented names; a name that stands there twice is an error."""
    names = _ROW.findall((BASE_DIR / "docs/configuration.md").read_text())
    assert len(names) == len(set(names)), "a setting is documented twice"
    return set(names)
