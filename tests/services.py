"""A pytest plugin that gives a run its own PostgreSQL and Redis, before Django reads its settings.

`TEST_DATABASE_URL` and `TEST_REDIS_URL` name other ones to use; Redis then needs a database number
for each xdist worker. The environment of the developer, and a running `manage.py up`, stay out.
"""

import contextlib
import os
from collections.abc import Generator
from urllib.parse import urlsplit

import pytest

from apps.common.embedded import EmbeddedServices

_SETTINGS = {
    "SECRET_KEY": "tests-only-secret-key-0123456789-abcdefghijklmnopqrstuvwxyz",
    "CREDENTIAL_KEYS": "dGVzdHMtb25seS1jcmVkZW50aWFsLWtleS0zMmJ5dGU=",
    "DEBUG": "0",
    "PUBLIC_URL": "http://127.0.0.1:8000",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1],testserver",
    # The receivers of tests listen here.
    "EGRESS_ALLOW": "127.0.0.0/8,::1/128",
    "EMAIL_URL": "memorymail://",
}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """Start the services in the process that leads the run; its xdist workers inherit them."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        stack = contextlib.ExitStack()
        early_config.add_cleanup(stack.close)
        _start(stack)
    else:
        number = int(worker.removeprefix("gw")) + 1
        os.environ["REDIS_URL"] = _with_database(os.environ["REDIS_URL"], number)
    return (yield)


def _start(stack: contextlib.ExitStack) -> None:
    database_url = os.environ.get("TEST_DATABASE_URL")
    redis_url = os.environ.get("TEST_REDIS_URL")
    services = stack.enter_context(
        EmbeddedServices.temporary(postgres=not database_url, redis=not redis_url)
    )
    os.environ |= {
        **_SETTINGS,
        "DATA_DIR": str(services.data_dir),
        "DATABASE_URL": database_url or services.database_url,
        "REDIS_URL": redis_url or services.redis_url,
    }


def _with_database(url: str, number: int) -> str:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return f"unix://{parts.path}?db={number}"
    return parts._replace(path=f"/{number}").geturl()
