"""Two sweeps that come to the same import at the same moment."""

import threading

import pytest
from django.db import connection, transaction

from apps.accounts.models import Location
from apps.campaigns.models import Import
from apps.campaigns.sheets import confirm_import, importing, start_import, work_imports
from apps.common.locks import hold
from tests.common.processes import wait_until
from tests.factories import AccountFactory
from tests.transactions import how_many_wait

pytestmark = pytest.mark.django_db(transaction=True)


def sweep() -> None:
    work_imports()
    connection.close()


def test_write_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "AT_ONCE", 0)
    account = AccountFactory()
    imported = start_import(
        account_id=account.pk, kind="locations", file_name="a.csv", content=b"name\nA\n", by=None
    )
    work_imports()
    confirm_import(imported=Import.objects.get(pk=imported.pk))
    threads = [threading.Thread(target=sweep) for _ in range(2)]
    with transaction.atomic():
        # Both have read the row by then.
        hold(f"import {account.pk}")
        for thread in threads:
            thread.start()
        wait_until(lambda: how_many_wait() == 2)
    for thread in threads:
        thread.join()

    imported.refresh_from_db()
    assert (imported.state, imported.created_count) == (Import.State.DONE, 1)
    assert Location.objects.filter(account=account).count() == 1
