"""Bearer keys: which are let in, and that what is stored of one lets nobody in."""

import datetime as dt
import itertools
import operator
from collections.abc import Callable
from functools import partial
from time import monotonic

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from apps.accounts import authentication
from apps.accounts.authentication import authenticate_bearer
from apps.accounts.models import ApiKey, Scope
from apps.accounts.services import issue_key
from apps.common.problems import Problem
from tests.builders import World, bearer, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def a_second_passes(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return what lets a second pass for whoever knows keys."""
    passed = itertools.count(1)
    return lambda: monkeypatch.setattr(
        authentication, "monotonic", partial(operator.add, monotonic(), next(passed))
    )


def knock(authorization: str | None, *, may_be_known: bool = False) -> object:
    headers = {} if authorization is None else {"Authorization": authorization}
    request = RequestFactory().get("/api/v1/events", headers=headers)
    return authenticate_bearer(request, may_be_known=may_be_known)


def refuse(token: str, *, may_be_known: bool = False) -> None:
    with pytest.raises(Problem) as caught:
        knock(f"Bearer {token}", may_be_known=may_be_known)
    assert (caught.value.status, caught.value.code) == (401, "invalid_key")
    assert caught.value.detail == "This API key is unknown, revoked or expired."


class TestAKey:
    def test_lets_its_holder_in(self, world: World) -> None:
        client = authenticate_bearer(RequestFactory().get("/api/", headers=bearer(world.token)))

        assert client is not None
        assert client.key == world.key
        assert client.access.account_ids == [world.account.pk]
        assert all(client.may(scope) for scope in Scope)

    def test_may_only_what_its_scopes_say(self, world: World) -> None:
        _, token = issue_key(account=world.account, name="R", scopes=[Scope.READ], by=None)
        client = authenticate_bearer(RequestFactory().get("/api/", headers=bearer(token)))

        assert client is not None
        assert [scope for scope in Scope if client.may(scope)] == [Scope.READ]

    def test_is_known_in_any_case_of_the_scheme(self, world: World) -> None:
        for scheme in ("bearer", "BEARER", "Bearer "):
            assert knock(f"{scheme} {world.token}") is not None

    def test_says_when_it_was_used_but_not_each_time(self, world: World) -> None:
        knock(f"Bearer {world.token}")
        first = ApiKey.objects.get(pk=world.key.pk).last_used_at
        knock(f"Bearer {world.token}")
        assert first is not None
        assert ApiKey.objects.get(pk=world.key.pk).last_used_at == first

        ApiKey.objects.update(last_used_at=timezone.now() - dt.timedelta(hours=1))
        knock(f"Bearer {world.token}")
        used_at = ApiKey.objects.get(pk=world.key.pk).last_used_at
        assert used_at is not None
        assert used_at >= first

    def test_that_was_revoked_is_refused(self, world: World) -> None:
        world.key.revoke(timezone.now())
        refuse(world.token)

    def test_that_has_expired_is_refused(self, world: World) -> None:
        ApiKey.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
        refuse(world.token)

        ApiKey.objects.update(expires_at=timezone.now() + dt.timedelta(hours=1))
        assert knock(f"Bearer {world.token}") is not None

    def test_of_an_account_that_is_off_is_refused(self, world: World) -> None:
        world.account.is_active = False
        world.account.save()
        refuse(world.token)

    @pytest.mark.parametrize(
        "token", ["hk_", "hk_wrong", "\u00e9\u00ff", "a" * 10_000, "'; --", "hk_ hk_", "%00"]
    )
    def test_that_nobody_issued_is_refused(self, world: World, token: str) -> None:
        refuse(token)


class TestAKeyThatMayBeKnown:
    def test_is_looked_up_once_while_it_is_used(
        self, world: World, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        knock(f"Bearer {world.token}", may_be_known=True)
        with django_assert_num_queries(0):
            assert knock(f"Bearer {world.token}", may_be_known=True) is not None

    def test_is_refused_within_a_second_after_it_was_revoked(
        self, world: World, a_second_passes: Callable[[], None]
    ) -> None:
        knock(f"Bearer {world.token}", may_be_known=True)
        world.key.revoke(timezone.now())
        refuse(world.token)
        a_second_passes()
        refuse(world.token, may_be_known=True)

    def test_expires_in_time(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        ApiKey.objects.update(expires_at=timezone.now() + dt.timedelta(hours=1))
        knock(f"Bearer {world.token}", may_be_known=True)
        later = timezone.now() + dt.timedelta(hours=2)
        monkeypatch.setattr(timezone, "now", lambda: later)
        refuse(world.token, may_be_known=True)

    def test_is_known_as_soon_as_it_is_issued(self, world: World) -> None:
        key, token = issue_key(account=world.account, name="R", scopes=[Scope.READ], by=None)
        ApiKey.objects.filter(pk=key.pk).update(token_hash="not yet")
        refuse(token, may_be_known=True)
        ApiKey.objects.filter(pk=key.pk).update(token_hash=key.token_hash)
        assert knock(f"Bearer {token}", may_be_known=True) is not None


class TestAHeader:
    @pytest.mark.parametrize(
        "authorization", [None, "", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "hk_x", " "]
    )
    def test_without_a_key_is_nobody(self, world: World, authorization: str | None) -> None:
        assert knock(authorization) is None

    def test_that_is_refused_says_how_to_do_better(self, world: World) -> None:
        response = Client().post("/api/v1/events", headers=bearer("hk_wrong"))

        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == (
            'Bearer realm="hookline", error="invalid_token"'
        )


class TestALeakedRow:
    def test_lets_nobody_in(self, world: World) -> None:
        row = ApiKey.objects.get(pk=world.key.pk)
        fields = [str(getattr(row, field.attname)) for field in ApiKey._meta.concrete_fields]

        assert world.token not in " ".join(fields)
        for value in fields:
            if value:
                refuse(value)

    def test_of_another_account_gives_no_hint(self, world: World) -> None:
        other = make_world("Other")
        assert other.key.hint != world.key.hint
        assert len(other.key.hint) < len(other.token) / 3
