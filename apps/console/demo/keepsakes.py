"""The file in which the demo keeps what only it may know: `demo.json` in the data directory.

Passwords and keys are random, made once for each installation. So a demo that somebody exposes by
accident can not be entered by whoever has read this code.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from apps.common.private_files import write_private

FILE_NAME = "demo.json"


@dataclass(slots=True)
class Keepsakes:
    """Passwords by e-mail, API keys by account name, signing secrets by the path of the receiver.

    `agency` is the id of the account that they belong to, `receiver_url` where its webhooks were
    pointed at last.
    """

    agency: str = ""
    receiver_url: str = ""
    passwords: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "Keepsakes":
        """Read the file; empty keepsakes if there is none."""
        try:
            return cls(**json.loads(path.read_text()))
        except FileNotFoundError:
            return cls()

    def write(self, path: Path) -> None:
        """Replace the file in one step, readable by us only."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, json.dumps(asdict(self), indent=2))
