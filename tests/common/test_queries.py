"""Prepared queries: the rows of their queryset, for any values, and only within reach."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.access import access_of_key
from apps.accounts.models import Location
from apps.common.queries import Among, PreparedQuery
from apps.common.tenancy import tenant_scope
from tests.builders import World, make_world
from tests.factories import LocationFactory

pytestmark = pytest.mark.django_db

PLACES = PreparedQuery(
    lambda: (
        Location.objects.filter(Among("name", "names"), is_active=True)
        .select_related("account", "group")
        .order_by("name")
    )
)


class TestAPreparedQuery:
    def test_finds_what_its_queryset_finds(self, world: World) -> None:
        for name in ("A", "B", "C"):
            LocationFactory(
                account=world.account, name=name, business_hours={"mon": [["09:00", "17:00"]]}
            )
        LocationFactory(account=world.account, name="D", is_active=False)

        for names in (["C", "A"], ["B"], ["D"], []):
            wanted = Location.objects.filter(name__in=names, is_active=True).order_by("name")
            found = PLACES.ask(names=names)
            assert found == list(wanted)
            assert [vars(each)["business_hours"] for each in found] == [
                each.business_hours for each in wanted
            ]

    @pytest.mark.parametrize(
        "name", ['a"b', "a\\b", "{a,b}", "NULL", "", " a ", "a'b", "%s", "é🙂", '\\"', "a\nb"]
    )
    def test_takes_texts_as_they_are(self, world: World, name: str) -> None:
        place = LocationFactory(account=world.account)
        Location.objects.filter(pk=place.pk).update(name=name)
        assert PLACES.ask(names=["other", name]) == [place]

    def test_brings_what_is_related(self, world: World) -> None:
        LocationFactory(account=world.account, name="A")
        (place,) = PLACES.ask(names=["A"])

        with CaptureQueriesContext(connection) as asked:
            assert (place.account, place.group) == (world.account, None)
        assert len(asked) == 0

    def test_leaves_out_what_is_deferred(self, world: World) -> None:
        row = LocationFactory(account=world.account, city="Springwood")
        cities = PreparedQuery(lambda: Location.objects.filter(Among("pk", "keys")).only("name"))

        (place,) = cities.ask(keys={row.pk})
        assert place.get_deferred_fields() >= {"city", "account_id"}
        assert place.city == "Springwood"

    def test_is_one_query_that_can_be_counted(self, world: World) -> None:
        with CaptureQueriesContext(connection) as asked:
            PLACES.ask(names=["A", "it's", 'a "name"', "a {brace}, a \\ and a 🙂"])
        assert len(asked) == 1

    def test_is_prepared_once_a_connection(self, world: World) -> None:
        towns = PreparedQuery(lambda: Location.objects.filter(Among("city", "cities")))
        for number in range(1, 4):
            towns.ask(cities=[f"n{each}" for each in range(number)])

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s",
                ['%"accounts_location"."city" = ANY%'],
            )
            assert cursor.fetchone() == (1,)

    def test_reaches_no_further_than_the_scope_it_is_asked_in(self, world: World) -> None:
        stranger = make_world("Stranger")
        for each in (world, stranger):
            LocationFactory(account=each.account, name="Here")

        def found() -> set[uuid.UUID]:
            return {place.account_id for place in PLACES.ask(names=["Here"])}

        # On one connection, whose statement is planned at the first and kept after the fifth.
        for _ in range(7):
            assert found() == {world.account.pk, stranger.account.pk}
            for each in (world, stranger):
                with tenant_scope(access_of_key(each.key)):
                    assert found() == {each.account.pk}
