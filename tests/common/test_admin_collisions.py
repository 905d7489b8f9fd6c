"""Two people who save the same at the same moment."""

import threading
import time
from collections.abc import Callable

import psycopg
import pytest
from django.db import connection, connections
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Account, Group
from tests.conftest import LogIn
from tests.factories import AccountFactory, GroupFactory

_PATIENCE_S = 20.0


def other_connection() -> psycopg.Connection[object]:
    """Return a connection of somebody else to the same database."""
    parameters = connection.get_connection_params()
    for django_only in ("cursor_factory", "context", "server_side_binding"):
        parameters.pop(django_only, None)
    return psycopg.connect(**parameters)


def wait_until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.django_db(transaction=True)
class TestTwoWhoSaveTheSame:
    def test_are_told_and_nothing_is_broken(self, log_in: LogIn) -> None:
        account: Account = AccountFactory()
        browser: Client = log_in(account=account)
        taken = GroupFactory.build(account=account, name="North")
        answers = []

        def save() -> None:
            form = {"name": "North"}
            answers.append(browser.post(reverse("admin:accounts_group_add"), form))
            connections.close_all()

        with other_connection() as other:
            other.execute(
                "INSERT INTO accounts_group (id, created_at, account_id, name)"
                " VALUES (%s, now(), %s, %s)",
                [taken.pk, account.pk, taken.name],
            )
            saving = threading.Thread(target=save)
            saving.start()
            # The form found the name free; its insert now waits for the other's to commit.
            wait_until(self.somebody_waits)
            other.commit()
            saving.join(_PATIENCE_S)

        assert answers[0].status_code == 302
        page = browser.get(answers[0].url)
        assert "at this very moment" in page.content.decode()
        assert Group.objects.get(account=account).pk == taken.pk

    def somebody_waits(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
                " AND wait_event_type = 'Lock')"
            )
            return bool(cursor.fetchone()[0])
