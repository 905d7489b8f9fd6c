"""Who may use which endpoint: the table, walked; and that ids of others are of nobody."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.urls import URLPattern

from apps.accounts.models import Account, AccountKind, Scope
from apps.common.access import Role
from apps.common.api.filters import ReferenceFilter
from config import api as addresses
from tests.api_client import Api, api_for
from tests.architecture.accounts import Rows
from tests.architecture.api_table import TABLE, Endpoint
from tests.builders import event
from tests.conftest import LogIn

pytestmark = pytest.mark.django_db

Ids = dict[str, str]
# Addresses that the table does not walk, by their name, and the test of who is let in: they ask for
# no key, or for a receiver that answers.
ELSEWHERE = {
    "callback": "tests/intake/test_generic.py",
    "ivr_results": "tests/ivr/test_posting.py",
    "ivr_step": "tests/ivr/test_twiml.py",
    "docs": "tests/browser/test_api_pages.py",
    "redoc": "tests/browser/test_api_pages.py",
}
EACH = pytest.mark.parametrize("endpoint", TABLE, ids=str)
_PLACE = re.compile(r"\{(\w+)\}")


@pytest.fixture(scope="module")
def mine(both: tuple[Rows, Rows]) -> tuple[Account, Ids]:
    return agency_of(both[0])


@pytest.fixture(scope="module")
def theirs(both: tuple[Rows, Rows]) -> Ids:
    return agency_of(both[1])[1]


@pytest.fixture(scope="module")
def keys(mine: tuple[Account, Ids]) -> list[tuple[tuple[Scope, ...], Api]]:
    """A key of my account with each of the scopes, and one with two of them."""
    scopes = (*((each,) for each in Scope), (Scope.READ, Scope.WRITE))
    return [(each, api_for(mine[0], *each)) for each in scopes]


@pytest.fixture(scope="module")
def people(mine: tuple[Account, Ids], log_in: LogIn) -> list[tuple[Role, Api]]:
    """Somebody of each role in my account, logged in."""
    return [(role, Api(browser=log_in(account=mine[0], role=role))) for role in Role]


@pytest.fixture(scope="module")
def api(mine: tuple[Account, Ids]) -> Api:
    """A key of my account that reads and writes."""
    return api_for(mine[0])


def agency_of(made: Rows) -> tuple[Account, Ids]:
    """Let the account of these rows be an agency; return it with their ids by name."""
    account: Account = next(iter(made.values())).account
    Account.objects.filter(pk=account.pk).update(kind=AccountKind.AGENCY)
    ids = {str(model._meta.model_name): row.public_id for model, row in made.items()}
    return account, {**ids, "account": account.public_id, "agency": account.public_id}


def filled(value: Any, ids: Ids) -> Any:
    """Put ids where their names stand."""
    if isinstance(value, str):
        return _PLACE.sub(lambda place: ids[place[1]], value)
    if isinstance(value, dict):
        return {name: filled(each, ids) for name, each in value.items()}
    return [filled(each, ids) for each in value] if isinstance(value, list) else value


def ask(api: Api, endpoint: Endpoint, ids: Ids, body_ids: Ids | None = None) -> Any:
    """Send a request of the table, and undo what it did."""
    body = filled(endpoint.body, body_ids or ids)
    if endpoint.url == "/events":
        body = event(location=ids["location"])
    with transaction.atomic():
        response = api.request(endpoint.method, filled(endpoint.url, ids), body)
        transaction.set_rollback(True)
    return response


@EACH
def test_a_key_needs_the_scope(
    endpoint: Endpoint, mine: tuple[Account, Ids], keys: list[tuple[tuple[Scope, ...], Api]]
) -> None:
    _, ids = mine
    assert ask(Api(), endpoint, ids).status_code == 401
    for scopes, api in keys:
        role = Role.ADMIN if Scope.WRITE in scopes else Role.VIEWER
        least = Role.VIEWER if endpoint.role is None else endpoint.role
        may = endpoint.scope in scopes and role >= least
        response = ask(api, endpoint, ids)
        wanted = endpoint.status if may else 403
        assert response.status_code == wanted, (scopes, response.content)


@EACH
def test_a_person_needs_the_role(
    endpoint: Endpoint, mine: tuple[Account, Ids], people: list[tuple[Role, Api]]
) -> None:
    _, ids = mine
    for role, api in people:
        response = ask(api, endpoint, ids)
        if endpoint.role is None:
            assert response.status_code == 401
            continue
        wanted = endpoint.status if role >= endpoint.role else 403
        assert response.status_code == wanted, (role, response.content)


@pytest.mark.parametrize("endpoint", [each for each in TABLE if "{" in each.url], ids=str)
def test_rows_of_others_are_of_nobody(
    endpoint: Endpoint, api: Api, mine: tuple[Account, Ids], theirs: Ids
) -> None:
    _, ids = mine
    response = ask(api, endpoint, theirs, ids)
    assert response.status_code == 404, response.content


@pytest.mark.parametrize("endpoint", [each for each in TABLE if each.body], ids=str)
def test_bodies_know_nothing_of_others(
    endpoint: Endpoint, api: Api, mine: tuple[Account, Ids], theirs: Ids
) -> None:
    _, ids = mine
    for name in set(_PLACE.findall(str(endpoint.body))):
        response = ask(api, endpoint, ids, {**ids, name: theirs[name]})
        assert response.status_code == 404, (name, response.content)
        assert response.json()["errors"][0]["code"] == "not_found"


@pytest.mark.parametrize(
    "endpoint",
    [each for each in TABLE if each.method == "GET" and "{" not in each.url],
    ids=str,
)
def test_filters_know_nothing_of_others(
    endpoint: Endpoint, api: Api, mine: tuple[Account, Ids], theirs: Ids
) -> None:
    _, ids = mine
    for name, model in filters_of(endpoint):
        assert api.get(f"{endpoint.url}?{name}={ids[model]}").status_code in (200, 403)
        response = api.get(f"{endpoint.url}?{name}={theirs[model]}")
        assert response.status_code == 404, (name, response.content)


def test_the_table_has_every_endpoint() -> None:
    known = {(each.method, generic(each.url.partition("?")[0])) for each in TABLE}
    assert set(endpoints()) == known


def filters_of(endpoint: Endpoint) -> Iterator[tuple[str, str]]:
    """Yield the parameters of a list that name rows, with the names of their models."""
    views = {url: view for _, url, view in walked() if url == endpoint.url}
    view = views.get(endpoint.url)
    if "account" in getattr(view, "list_parameters", ()) or endpoint.url == "/usage":
        yield "account", "account"
    filterset = getattr(view, "filterset_class", None)
    for name, each in filterset.base_filters.items() if filterset else ():
        if isinstance(each, ReferenceFilter):
            yield name, str(each.referred._meta.model_name)


def endpoints() -> Iterator[tuple[str, str]]:
    """Yield every method and address that the API answers."""
    for method, url, _ in walked():
        yield method, generic(url)


def walked() -> Iterator[tuple[str, str, Any]]:
    for pattern in [*addresses.router.urls, *addresses.urlpatterns]:
        if not isinstance(pattern, URLPattern) or pattern.name in ELSEWHERE:
            continue
        url = "/" + str(pattern.pattern).removeprefix("^").removesuffix("$").removesuffix("\\Z")
        view: Any = pattern.callback
        actions = getattr(view, "actions", None)
        methods = actions or [name for name in ("get", "post", "patch") if hasattr(view.cls, name)]
        for method in set(methods) - {"head"}:
            yield method.upper(), re.sub(r"\(\?P<(\w+)>.*?\)(?=/|$)", r"{\1}", url), view.cls


def generic(url: str) -> str:
    """Return an address with every place in it named alike."""
    url = re.sub(r"<str:\w+>|\{\w+\}", "{}", url)
    for place in ("/tokens/ani", "/gallery/adf", "/versions/1"):
        url = re.sub(rf"{place}(?=/|$)", f"{place.rpartition('/')[0]}/{{}}", url)
    return url
