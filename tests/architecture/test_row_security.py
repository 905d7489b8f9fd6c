"""The second wall stands around every account-owned table."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import ForeignKey

from apps.common.access import Access, ReachableAccount, Role
from apps.common.models import AccountOwned
from apps.common.tenancy import tenant_scope
from apps.delivery.models import Delivery
from tests.architecture.accounts import Rows, account_owned
from tests.factories.deliveries import CallFactory

pytestmark = pytest.mark.django_db

# Every foreign key from one account-owned model to another.
REFERENCES = [
    field
    for model in account_owned()
    for field in model._meta.concrete_fields
    if isinstance(field.related_model, type) and issubclass(field.related_model, AccountOwned)
]


def access_to(account: Any) -> Access:
    reachable = ReachableAccount(account.pk, account.name, account.is_agency, Role.OWNER)
    return Access(accounts={account.pk: reachable})


def test_every_table_has_a_policy() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relrowsecurity AND EXISTS"
            " (SELECT FROM pg_policy WHERE polrelid = pg_class.oid)"
        )
        behind_the_wall = {row[0] for row in cursor.fetchall()}
    tables = {model._meta.db_table for model in account_owned()}
    assert tables - behind_the_wall == set()


@pytest.mark.parametrize("model", account_owned(), ids=lambda model: model.__name__)
class TestUnderTheRestrictedRole:
    def test_a_raw_select_sees_own_rows_only(
        self, model: type[AccountOwned], mine: Rows, theirs: Rows
    ) -> None:
        with tenant_scope(access_to(mine[model].account)), connection.cursor() as cursor:
            cursor.execute(f"SELECT DISTINCT account_id FROM {model._meta.db_table}")  # noqa: S608
            seen = {row[0] for row in cursor.fetchall()}
        assert seen == {mine[model].account_id}

    def test_a_raw_update_reaches_no_other_row(
        self, model: type[AccountOwned], mine: Rows, theirs: Rows
    ) -> None:
        table = model._meta.db_table
        before = model._base_manager.get(pk=theirs[model].pk).created_at
        with tenant_scope(access_to(mine[model].account)), connection.cursor() as cursor:
            try:
                with transaction.atomic():
                    cursor.execute(
                        f"UPDATE {table} SET created_at = now() WHERE id = %s",  # noqa: S608
                        [theirs[model].pk],
                    )
                    assert cursor.rowcount == 0
            except DatabaseError as error:
                assert "permission denied" in str(error)  # noqa: PT017
        assert model._base_manager.get(pk=theirs[model].pk).created_at == before

    def test_a_raw_insert_for_another_account_is_refused(
        self, model: type[AccountOwned], mine: Rows, theirs: Rows
    ) -> None:
        table = model._meta.db_table
        columns = [field.column for field in model._meta.concrete_fields if field.name != "id"]
        names = ", ".join(f'"{column}"' for column in columns)
        target = model._base_manager.filter(pk=theirs[model].pk).values_list(*columns).query
        with connection.cursor() as cursor:
            cursor.execute(
                f"CREATE TEMPORARY TABLE stolen ON COMMIT DROP AS {target.sql_with_params()[0]}",
                target.sql_with_params()[1],
            )
            cursor.execute("GRANT SELECT ON stolen TO hookline_tenant")
            with (
                tenant_scope(access_to(mine[model].account)),
                pytest.raises(DatabaseError, match=r"row-level security|permission denied"),
                transaction.atomic(),
            ):
                cursor.execute(
                    f"INSERT INTO {table} (id, {names})"  # noqa: S608
                    f" SELECT gen_random_uuid(), {names} FROM stolen"
                )
            cursor.execute("DROP TABLE stolen")


@pytest.mark.parametrize("reference", REFERENCES, ids=str)
class TestAReferenceIntoAnotherAccount:
    @pytest.fixture(autouse=True)
    def _within_my_account(self, mine: Rows, theirs: Rows) -> Iterator[None]:
        with tenant_scope(access_to(next(iter(mine.values())).account)):
            yield

    def refused(self, statement: str, parameters: list[object]) -> None:
        with (
            connection.cursor() as cursor,
            pytest.raises(DatabaseError, match=r"row-level security|permission denied"),
            transaction.atomic(),
        ):
            cursor.execute(statement, parameters)

    def test_is_refused_in_a_new_row(
        self, reference: ForeignKey[Any, Any], mine: Rows, theirs: Rows
    ) -> None:
        model = reference.model
        columns = [
            field.column
            for field in model._meta.concrete_fields
            if field not in (model._meta.pk, reference)
        ]
        names = ", ".join(f'"{column}"' for column in columns)
        self.refused(
            f"INSERT INTO {model._meta.db_table} (id, {reference.column}, {names})"  # noqa: S608
            f" SELECT gen_random_uuid(), %s, {names} FROM {model._meta.db_table} WHERE id = %s",
            [theirs[reference.related_model].pk, mine[model].pk],
        )

    def test_is_refused_in_a_changed_row(
        self, reference: ForeignKey[Any, Any], mine: Rows, theirs: Rows
    ) -> None:
        table = reference.model._meta.db_table
        self.refused(
            f"UPDATE {table} SET {reference.column} = %s WHERE id = %s",  # noqa: S608
            [theirs[reference.related_model].pk, mine[reference.model].pk],
        )


def test_a_delivery_is_of_the_call_of_its_event(mine: Rows) -> None:
    delivery = mine[Delivery]
    assert isinstance(delivery, Delivery)
    other = CallFactory.create(account=delivery.account)
    with (
        tenant_scope(access_to(delivery.account)),
        connection.cursor() as cursor,
        pytest.raises(DatabaseError, match="row-level security"),
        transaction.atomic(),
    ):
        cursor.execute(
            "UPDATE delivery_delivery SET call_id = %s WHERE id = %s", [other.pk, delivery.pk]
        )
