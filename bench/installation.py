"""An installation of Hookline for one benchmark: services of its own, a database, Django.

Django reads its settings once, from the environment that `installed` sets. So what has to do with
models (`bench.world`, `bench.sending`, `bench.ledger`) is imported inside its block.
"""

import logging
import os
import secrets
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import django
from django.core.management import call_command
from django.db import connections

from apps.common.embedded import EmbeddedServices
from apps.common.garbage import seldom_collecting
from bench.processes import Process, python, running

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Installation:
    """The services, and the processes of Hookline that run on them."""

    services: EmbeddedServices

    @property
    def data_dir(self) -> Path:
        """Where logs and data are, until the installation is removed."""
        return self.services.data_dir

    @property
    def database_pid(self) -> int:
        """The main process of PostgreSQL; its sessions are children of it."""
        postgres = self.services.postgres
        assert postgres is not None  # noqa: S101 - it is never left out here
        assert postgres.pid is not None, postgres.how_it_ended()  # noqa: S101
        return postgres.pid

    @contextmanager
    def manage(self, *arguments: str, **settings: str) -> Iterator[Process]:
        """Run a management command, as `worker`; `settings` are variables of its environment."""
        log = self.data_dir / f"{arguments[0]}.log"
        with running(python("manage.py", *arguments), env=settings, log=log) as process:
            yield process


@contextmanager
def installed(*, durable: bool = True) -> Iterator[Installation]:
    """Set up an installation for the length of a `with` block; once in a process.

    `durable` as `manage.py up` has it: what is committed is on the disk.
    """
    with EmbeddedServices.temporary(durable=durable) as services:
        os.environ |= {
            "DATA_DIR": str(services.data_dir),
            "DATABASE_URL": services.database_url,
            "REDIS_URL": services.redis_url,
            "SECRET_KEY": secrets.token_urlsafe(48),
            "CREDENTIAL_KEYS": b64encode(secrets.token_bytes(32), b"-_").decode(),
            "DEBUG": "0",
            "ALLOWED_HOSTS": HOST,
            "PUBLIC_URL": f"http://{HOST}:8000",
            "EGRESS_ALLOW": f"{HOST}/32",
            "EMAIL_URL": "memorymail://",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }
        django.setup()
        # What intake says of each call; the processes that are measured say what they always do.
        logging.getLogger("apps").setLevel(logging.WARNING)
        try:
            with seldom_collecting():
                call_command("migrate", interactive=False, verbosity=0)
            yield Installation(services)
        finally:
            connections.close_all()
