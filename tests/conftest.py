"""What tests share."""

import gc
import os
from collections.abc import Callable, Iterable, Iterator
from functools import cache

import pytest
from django.core.management.commands import flush
from django.db import transaction
from django.db.backends.postgresql.operations import DatabaseOperations
from django.test import Client, override_settings
from hypothesis import settings
from pytest_django import DjangoDbBlocker

import config.urls  # noqa: F401 - every room's pages are known, as in a web process
from apps.accounts.models import Account, User
from apps.common.access import Role
from apps.common.models import AuditEntry
from apps.delivery.clients import batch_client, waiting_client
from apps.delivery.clients.tls import client_context
from tests.builders import World, make_world
from tests.factories import MembershipFactory

# Property tests look for wrong answers, not slow ones: nothing fails by the clock. Said here, as
# each of them keeps the profile that there is when its module is read.
settings.register_profile("hookline", deadline=None)
settings.load_profile("hookline")


def pytest_configure(config: pytest.Config) -> None:
    """Nothing has been collected for WhiteNoise in a checkout; it says so for each browser."""
    config.addinivalue_line("filterwarnings", "ignore:No directory at:UserWarning")


def pytest_collection() -> None:
    """Collect no garbage while there is none: everything that is loaded now stays."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Leave all that out of later collections, which took a seventh of a run, and have fewer."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()


def pytest_xdist_auto_num_workers() -> int:
    """Run one more than there are processors: tests wait too, for processes and for time-outs."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else 3


LogIn = Callable[..., Client]


@pytest.fixture(scope="session", autouse=True)
def _quick_settings() -> Iterator[None]:
    """Hash passwords quickly, and look for a static file only when one is asked for.

    Tests make many users and many browsers; each browser loads the middlewares, and WhiteNoise
    would then go through all the files there are: six tenths of the time of a test of the API.
    """
    hashers = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with override_settings(PASSWORD_HASHERS=hashers, WHITENOISE_AUTOREFRESH=True):
        yield


@pytest.fixture(scope="session", autouse=True)
def _quick_flush() -> Iterator[None]:
    """Empty the tables by DELETE after a test that commits: TRUNCATE makes hundreds of files anew.

    All of them in one trip. The audit log comes last, as it is told of the others. What migrations
    made stays, and is not looked for again.
    """

    def sql_flush(
        operations: DatabaseOperations, style: object, tables: Iterable[str], **options: object
    ) -> list[str]:
        last = AuditEntry._meta.db_table
        emptied = [*(set(tables) - {last, "django_content_type", "auth_permission"}), last]
        deletes = (f"DELETE FROM {operations.quote_name(name)};" for name in emptied)  # noqa: S608
        return [f"DO $$ BEGIN {' '.join(deletes)} END $$"]

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(DatabaseOperations, "sql_flush", sql_flush)
        monkeypatch.setattr(flush, "emit_post_migrate_signal", lambda *_: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _authorities_read_once() -> Iterator[None]:
    """Read the authorities of the system for TLS once, not for each drain and each client."""
    context = cache(client_context)
    with pytest.MonkeyPatch.context() as monkeypatch:
        for module in (batch_client, waiting_client):
            monkeypatch.setattr(module, "client_context", context)
        yield


@pytest.fixture(scope="module")
def kept(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Keep rows that fixtures of the same scope make, for all tests of a module.

    What a test itself writes is undone after it, as ever: it runs in a savepoint.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="session")
def log_in() -> LogIn:
    """Return a browser in which a user is logged in: `log_in(account=..., role=...)`."""

    def log_in(
        account: Account | None = None, role: Role = Role.ADMIN, user: User | None = None
    ) -> Client:
        who = user or MembershipFactory(account=account, role=role).user
        client = Client()
        client.force_login(who)
        return client

    return log_in


@pytest.fixture
def world(db: None) -> World:
    """An account in working order."""
    return make_world()
