"""Statements that go to PostgreSQL together, behind the wall."""

import uuid
from collections.abc import Iterator

import pytest
from django.db import DatabaseError, ProgrammingError, connection, transaction

from apps.accounts.access import access_of_key
from apps.accounts.models import Group
from apps.common.access import NOBODY, Access
from apps.common.prepared import prepared_cursor
from apps.common.tenancy import TENANT_ROLE
from apps.common.trips import tenant_trip
from tests.builders import World, make_world

# Alone, statements are sent together; in a transaction that is open already, one by one.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.parametrize("is_open", [0, 1])]

SEEN = "SELECT account_id FROM accounts_location WHERE %s::int = 1"
ADD = (
    "INSERT INTO accounts_group (id, created_at, account_id, name) VALUES (%s, now(), %s, %s::text)"
)


@pytest.fixture(autouse=True)
def surroundings(world: World, is_open: int) -> Iterator[None]:
    """Open a transaction around the test, or none."""
    if not is_open:
        yield
        return
    with transaction.atomic():
        yield


@pytest.fixture
def access(world: World) -> Access:
    return access_of_key(world.key)


def role() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return str(cursor.fetchone()[0])


def group(world: World, name: str) -> list[object]:
    return [uuid.uuid4(), world.account.pk, name]


class TestATrip:
    def test_reaches_only_what_its_access_does(self, world: World, access: Access) -> None:
        make_world("Stranger")
        before = role()
        with tenant_trip(access) as trip:
            seen = trip.ask(SEEN, [1])
            by = trip.ask("SELECT current_user", None)
        assert seen.rows() == [(world.account.pk,)]
        assert by.rows() == [(TENANT_ROLE,)]
        assert role() == before
        with tenant_trip(NOBODY) as trip:
            nothing = trip.ask(SEEN, [1])
        assert nothing.rows() == []

    def test_tells_an_answer_that_the_next_question_needs(
        self, world: World, access: Access
    ) -> None:
        with tenant_trip(access) as trip:
            ((account_id,),) = trip.ask(SEEN, [1]).rows()
            trip.ask(ADD, [uuid.uuid4(), account_id, "Found"])
        assert Group.objects.get().name == "Found"

    def test_undoes_what_was_written_when_its_block_fails(
        self, world: World, access: Access
    ) -> None:
        def write_and_fail() -> None:
            with tenant_trip(access) as trip:
                trip.ask(ADD, group(world, "Lost"))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            write_and_fail()
        assert not Group.objects.exists()

    def test_raises_the_errors_of_django_and_leaves_a_connection_that_works(
        self, world: World, access: Access
    ) -> None:
        def write_and_ask_nonsense() -> None:
            with tenant_trip(access) as trip:
                trip.ask(ADD, group(world, "Lost"))
                trip.ask("SELECT nothing_of_this_name", None)

        with pytest.raises(ProgrammingError):
            write_and_ask_nonsense()
        assert not Group.objects.exists()
        with tenant_trip(access) as trip:
            trip.ask(ADD, group(world, "Kept"))
        assert Group.objects.get().name == "Kept"

    def test_is_no_answer_of_the_connection_before_it_is_back(
        self, access: Access, is_open: int
    ) -> None:
        with prepared_cursor() as cursor:
            known = cursor._known
        known.answered_at = 0.0
        with tenant_trip(access) as trip:
            trip.ask(SEEN, [1])
            assert bool(known.answered_at) == bool(is_open)
        assert known.answered_at

    def test_writes_nothing_of_another_account(self, access: Access) -> None:
        stranger = make_world("Stranger")
        with pytest.raises(DatabaseError), tenant_trip(access) as trip:
            trip.ask(ADD, group(stranger, "Theirs"))
        assert not Group.objects.exists()
