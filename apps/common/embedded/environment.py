"""The two files that tell other commands of a running installation: `secrets.env`, `run.env`."""

import base64
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from apps.common.private_files import write_private

# What a command in another terminal needs to work with the services of a running `up`.
_SHARED = (
    "ALLOWED_HOSTS",
    "CREDENTIAL_KEYS",
    "CSRF_TRUSTED_ORIGINS",
    "DATABASE_URL",
    "DEBUG",
    "DEMO_RECEIVER_URL",
    "EGRESS_ALLOW",
    "EGRESS_PROXY",
    "PUBLIC_URL",
    "REDIS_URL",
    "SECRET_KEY",
)


def keep_secrets(path: Path) -> None:
    """Write the keys of this installation to `path` unless it is there already."""
    if not path.exists():
        credential_key = base64.urlsafe_b64encode(os.urandom(32)).decode()
        _write(
            path,
            {"SECRET_KEY": secrets.token_urlsafe(48), "CREDENTIAL_KEYS": credential_key},
        )


@contextmanager
def shared_environment(path: Path) -> Iterator[None]:
    """Keep the parts of our environment that other commands need in `path` for a `with` block."""
    _write(path, {name: os.environ[name] for name in _SHARED if name in os.environ})
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _write(path: Path, values: Mapping[str, str]) -> None:
    write_private(path, "".join(f"{name}='{value}'\n" for name, value in values.items()))
