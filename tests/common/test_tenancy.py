"""The wall around a request: who is let through, what is undone, and when the role goes back."""

import uuid

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DataError, ProgrammingError, connection, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from apps.accounts.access import access_of_key
from apps.accounts.models import Account, Group, Location
from apps.campaigns.models import Attachment, TrackingNumber
from apps.common.access import NOBODY, Access
from apps.common.tenancy import TENANT_ROLE, system_scope, tenant_scope
from apps.webhooks.models import Webhook
from tests.builders import World, bearer, make_webhook, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def stranger(db: None) -> World:
    return make_world("Stranger")


@pytest.fixture
def access(world: World) -> Access:
    return access_of_key(world.key)


def role() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return str(cursor.fetchone()[0])


def seen() -> set[uuid.UUID]:
    """The accounts whose locations a query without any filter finds."""
    return set(Location.objects.values_list("account_id", flat=True))


def everybody(*worlds: World) -> set[uuid.UUID]:
    return {world.account.pk for world in worlds}


def write_and_fail(world: World) -> None:
    Group.objects.create(account=world.account, name="Lost")
    raise ZeroDivisionError


class TestATenantScope:
    def test_shows_only_what_is_reached(
        self, world: World, stranger: World, access: Access
    ) -> None:
        with tenant_scope(access):
            assert role() == TENANT_ROLE
            assert seen() == {world.account.pk}
            assert not Location.objects.filter(pk=stranger.location.pk).exists()

        assert seen() == everybody(world, stranger)

    def test_shows_nobody_nothing(self, world: World) -> None:
        with tenant_scope(NOBODY):
            assert seen() == set()
            assert not Account.objects.exists()

    def test_shows_an_operator_everything(self, world: World, stranger: World) -> None:
        with tenant_scope(Access(is_operator=True)):
            assert seen() == everybody(world, stranger)

    def test_lets_an_agency_through_to_its_clients(self, stranger: World) -> None:
        agency = make_world("Agency", kind="agency")  # type: ignore[arg-type]
        client = make_world("Client", parent=agency.account)

        with tenant_scope(access_of_key(agency.key)):
            assert seen() == everybody(agency, client)
        with tenant_scope(access_of_key(client.key)):
            assert seen() == everybody(client)

    def test_gives_the_role_back(self, access: Access) -> None:
        before = role()
        with tenant_scope(access):
            pass
        assert role() == before

    def test_gives_the_role_back_after_an_exception(self, world: World, access: Access) -> None:
        before = role()
        with pytest.raises(ZeroDivisionError), tenant_scope(access):
            write_and_fail(world)

        assert role() == before
        assert not Group.objects.exists()

    def test_gives_the_role_back_after_an_error_of_the_database(self, access: Access) -> None:
        before = role()
        with pytest.raises(DataError), tenant_scope(access), connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

        assert role() == before

    def test_stands_through_savepoints(self, world: World, stranger: World, access: Access) -> None:
        with tenant_scope(access):
            with transaction.atomic():
                assert seen() == {world.account.pk}
            with pytest.raises(ZeroDivisionError), transaction.atomic():
                raise ZeroDivisionError
            assert role() == TENANT_ROLE
            assert seen() == {world.account.pk}

    def test_inside_another_gives_that_one_back(
        self, world: World, stranger: World, access: Access
    ) -> None:
        theirs = access_of_key(stranger.key)
        with tenant_scope(access):
            with tenant_scope(theirs):
                assert seen() == {stranger.account.pk}
            assert role() == TENANT_ROLE
            assert seen() == {world.account.pk}
            with tenant_scope(Access(is_operator=True)):
                assert seen() == everybody(world, stranger)
            assert seen() == {world.account.pk}

    @pytest.mark.django_db(transaction=True)
    def test_ends_with_its_transaction(self, world: World, stranger: World, access: Access) -> None:
        with tenant_scope(access):
            transaction.on_commit(lambda: found.extend(seen()))
            found: list[uuid.UUID] = []

        assert set(found) == everybody(world, stranger)
        assert seen() == everybody(world, stranger)


class TestASystemScope:
    def test_lifts_the_wall_and_puts_it_back(
        self, world: World, stranger: World, access: Access
    ) -> None:
        with tenant_scope(access):
            with system_scope():
                assert seen() == everybody(world, stranger)
                with system_scope():
                    assert seen() == everybody(world, stranger)
                assert seen() == everybody(world, stranger)
            assert role() == TENANT_ROLE
            assert seen() == {world.account.pk}

    def test_puts_the_wall_back_after_an_exception(
        self, world: World, stranger: World, access: Access
    ) -> None:
        with tenant_scope(access):
            with pytest.raises(ZeroDivisionError), system_scope():
                write_and_fail(stranger)
            assert role() == TENANT_ROLE
            assert seen() == {world.account.pk}
        assert not Group.objects.exists()

    def test_puts_the_wall_back_after_an_error_of_the_database(
        self, world: World, access: Access
    ) -> None:
        with tenant_scope(access):
            with pytest.raises(DataError), system_scope(), connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")
            assert seen() == {world.account.pk}

    def test_changes_nothing_outside(self, world: World, stranger: World) -> None:
        before = role()
        with system_scope():
            assert role() == before
            assert seen() == everybody(world, stranger)


class TestAForgedWrite:
    @pytest.mark.usefixtures("world")
    def test_into_another_account_is_refused(self, stranger: World, access: Access) -> None:
        with (
            pytest.raises(ProgrammingError, match="row-level security"),
            tenant_scope(access),
        ):
            Group.objects.create(account=stranger.account, name="Forged")

    @pytest.mark.usefixtures("world")
    def test_to_another_account_changes_nothing(self, stranger: World, access: Access) -> None:
        with tenant_scope(access):
            assert Location.objects.filter(pk=stranger.location.pk).update(name="Forged") == 0
            assert Location.objects.filter(pk=stranger.location.pk).delete()[0] == 0

        stranger.location.refresh_from_db()
        assert stranger.location.name == "Stranger"

    def test_that_gives_a_row_away_is_refused(
        self, world: World, stranger: World, access: Access
    ) -> None:
        with (
            pytest.raises(ProgrammingError, match="row-level security"),
            tenant_scope(access),
        ):
            Location.objects.filter(pk=world.location.pk).update(account=stranger.account)

    def test_that_points_into_another_account_is_refused(
        self, world: World, stranger: World, access: Access
    ) -> None:
        webhook = make_webhook(world, "http://127.0.0.1/")
        theirs = make_webhook(stranger, "http://127.0.0.1/")
        forged = [
            lambda: TrackingNumber.objects.create(
                account=world.account, location=stranger.location, number="+15559999999"
            ),
            lambda: TrackingNumber.objects.filter(pk=world.number.pk).update(
                campaign=stranger.campaign
            ),
            lambda: Attachment.objects.create(account=world.account, webhook=theirs),
            lambda: Attachment.objects.create(
                account=world.account, webhook=webhook, option=stranger.sales
            ),
            lambda: Webhook.objects.filter(pk=webhook.pk).update(location=stranger.location),
        ]
        for write in forged:
            with (
                pytest.raises(ProgrammingError, match="row-level security"),
                tenant_scope(access),
            ):
                write()

    def test_that_points_into_ones_own_account_passes(self, world: World, access: Access) -> None:
        with tenant_scope(access):
            TrackingNumber.objects.filter(pk=world.number.pk).update(treatment=world.menu)
            Attachment.objects.create(
                account=world.account,
                webhook=make_webhook(world, "http://127.0.0.1/"),
                option=world.sales,
            )


def write_then(request: HttpRequest, ending: str) -> HttpResponse:
    Group.objects.create(account_id=next(iter(request.access.accounts)), name=ending)  # type: ignore[attr-defined]
    match ending:
        case "404":
            raise Http404
        case "403":
            raise PermissionDenied
        case "crash":
            raise ZeroDivisionError
        case "database":
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")
    return HttpResponse(role(), status=int(ending))


urlpatterns = [path("api/write/<str:ending>", write_then)]


@pytest.mark.urls(__name__)
class TestARequest:
    @pytest.fixture
    def client(self) -> Client:
        return Client(raise_request_exception=False)

    def test_that_succeeds_keeps_what_it_wrote(self, world: World, client: Client) -> None:
        response = client.get("/api/write/200", headers=bearer(world.token))

        assert response.content.decode() == TENANT_ROLE
        assert Group.objects.get().name == "200"

    @pytest.mark.parametrize(
        ("ending", "status"),
        [("404", 404), ("403", 403), ("crash", 500), ("database", 500), ("503", 503)],
    )
    def test_that_fails_keeps_nothing(
        self, world: World, client: Client, ending: str, status: int
    ) -> None:
        before = role()
        response = client.get(f"/api/write/{ending}", headers=bearer(world.token))

        assert response.status_code == status
        assert response.headers["Content-Type"] == "application/problem+json"
        assert not Group.objects.exists()
        assert role() == before
