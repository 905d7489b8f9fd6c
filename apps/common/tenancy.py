"""The second wall: PostgreSQL row security, entered once a request.

Inside `tenant_scope` the connection works as the restricted role `hookline_tenant`, which sees and
writes only rows of the accounts named there, whatever the query says. System work (jobs,
migrations, sign-in) does not enter it and runs as the owner of the tables.
"""

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from apps.common.access import Access

TENANT_ROLE = "hookline_tenant"
_SET = (
    "SELECT set_config('role', %s, true), set_config('hookline.account_ids', %s, true),"
    " set_config('hookline.shared_from_ids', %s, true), set_config('hookline.user_id', %s, true)"
)


@contextmanager
def tenant_scope(access: Access) -> Iterator[None]:
    """Run the block in one transaction that reaches only the accounts of `access`.

    An operator's block runs as the owner of the tables, still in one transaction.
    """
    with transaction.atomic():
        if access.is_operator:
            yield
            return
        _enter(access)
        yield
        _leave()


@contextmanager
def system_scope() -> Iterator[None]:
    """Lift the wall for a block inside a tenant scope, for what no tenant may do by itself.

    Used where a service has checked the right itself, as for inviting a member whose user exists
    in another account already. Outside a tenant scope it changes nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(nullif(current_setting('role', true), ''), 'none'),"
            " current_setting('hookline.account_ids', true),"
            " current_setting('hookline.shared_from_ids', true),"
            " current_setting('hookline.user_id', true)"
        )
        before = cursor.fetchone()
        if before[0] != TENANT_ROLE:
            yield
            return
        with transaction.atomic():
            cursor.execute("SELECT set_config('role', 'none', true)")
            yield
            cursor.execute(_SET, [value or "" for value in before])


def _enter(access: Access) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _SET,
            [
                TENANT_ROLE,
                _joined(access.account_ids),
                _joined(access.shared_from_ids),
                str(access.user_id or ""),
            ],
        )


def _leave() -> None:
    """Give the role back at once: a test or a savepoint may keep the transaction open."""
    if not connection.needs_rollback and connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute(_SET, ["none", "", "", ""])


def _joined(ids: Iterable[uuid.UUID]) -> str:
    return ",".join(map(str, ids))
