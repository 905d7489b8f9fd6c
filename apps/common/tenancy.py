"""The second wall: PostgreSQL row security, entered once a request.

Inside `tenant_scope` the connection works as the restricted role `hookline_tenant`, which sees and
writes only rows of the accounts named there, whatever the query says. System work (jobs,
migrations, sign-in) does not enter it and runs as the owner of the tables.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import connection, transaction
from django.http import HttpRequest

from apps.common.access import Access
from apps.common.origin import current_origin
from apps.common.prepared import prepared_cursor, trust_connection

TENANT_ROLE = "hookline_tenant"
_View = TypeVar("_View", bound=Callable[..., Any])
_GET = (
    "SELECT coalesce(nullif(current_setting('role', true), ''), 'none'),"
    " current_setting('hookline.account_ids', true),"
    " current_setting('hookline.shared_from_ids', true),"
    " current_setting('hookline.user_id', true), current_setting('hookline.origin', true)"
)
_SET = (
    "SELECT set_config('role', %s, true), set_config('hookline.account_ids', %s, true),"
    " set_config('hookline.shared_from_ids', %s, true), set_config('hookline.user_id', %s, true),"
    " set_config('hookline.origin', %s, true)"
)
# Role, reachable accounts, agencies that share, user: as they are where there is no wall.
_OWNER = ("none", "", "", "")


@contextmanager
def tenant_scope(access: Access) -> Iterator[None]:
    """Run the block in one transaction that reaches only the accounts of `access`.

    An operator's block runs as the owner of the tables, still in one transaction. Inside another
    scope it replaces that one for the block.
    """
    with _scope(_OWNER if access.is_operator else _wall_of(access)):
        yield


@contextmanager
def open_scope() -> Iterator[None]:
    """Run the block in one transaction without the wall, for pages that check by themselves."""
    with _scope(_OWNER):
        yield


@contextmanager
def system_scope() -> Iterator[None]:
    """Lift the wall for a block inside a tenant scope, for what no tenant may do by itself.

    Used where a service has checked the right itself, as for inviting a member whose user exists
    in another account already. Outside a tenant scope it changes nothing.
    """
    before = _wall()
    if before[0] != TENANT_ROLE:
        yield
        return
    with transaction.atomic():
        _set_wall((*_OWNER, before[-1]))
        yield
        if not connection.needs_rollback:
            _set_wall(before)


def opens_scopes(view: _View) -> _View:
    """Mark a view that enters the tenant scope by itself, around each thing that it does.

    For one that waits for somebody else in between: no transaction is open meanwhile.
    """
    view.opens_scopes = True  # type: ignore[attr-defined]
    return view


def has_scope(request: HttpRequest) -> bool:
    """Tell whether all of a request is one transaction, as its view opens no scopes by itself."""
    view = getattr(request.resolver_match, "func", None)
    return not getattr(view, "opens_scopes", False)


def undo(request: HttpRequest) -> None:
    """Undo what a view wrote that failed. One that opens scopes has left them, which did."""
    if connection.in_atomic_block and has_scope(request):
        transaction.set_rollback(True)


@contextmanager
def _scope(wall: tuple[str, ...]) -> Iterator[None]:
    """Put up a wall for the block, and tell the audit log who acts in it."""
    is_nested = connection.in_atomic_block
    trust_connection()
    with transaction.atomic():
        before = _wall() if is_nested else ()
        _set_wall((*wall, current_origin().as_json()))
        yield
        # Only for those who go on in this transaction: with its end, all of it is gone.
        if is_nested and not connection.needs_rollback:
            _set_wall(before)


def wall_statement(access: Access) -> tuple[str, tuple[str, ...]]:
    """Return what `tenant_scope` puts up its wall with: a statement and its parameters."""
    wall = _OWNER if access.is_operator else _wall_of(access)
    return _SET, (*wall, current_origin().as_json())


def _wall_of(access: Access) -> tuple[str, ...]:
    return (
        TENANT_ROLE,
        _joined(access.account_ids),
        _joined(access.shared_from_ids),
        str(access.user_id or ""),
    )


def _wall() -> tuple[str, ...]:
    with prepared_cursor() as cursor:
        (found,) = cursor.rows(_GET, None)
    return tuple(value or "" for value in found)


def _set_wall(wall: tuple[str, ...]) -> None:
    with prepared_cursor() as cursor:
        cursor.rows(_SET, wall)


def _joined(ids: Iterable[uuid.UUID]) -> str:
    return ",".join(map(str, ids))
