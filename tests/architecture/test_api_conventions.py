"""What the API promises of every endpoint, walked: ids, limits, repeats, states and parameters."""

import pytest
from django.db import transaction

from tests.api_client import Api, api_for, problem
from tests.architecture.accounts import Rows
from tests.architecture.api_table import TABLE, Endpoint
from tests.architecture.test_api_permissions import Ids, agency_of, filled
from tests.architecture.test_api_queries import LISTS
from tests.builders import event

pytestmark = pytest.mark.django_db

OLD = '"of another time"'


@pytest.fixture
def mine(mine: Rows) -> tuple[Api, Ids]:
    account, ids = agency_of(mine)
    return api_for(account, "read", "write", "ingest"), ids


def those(*methods: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "endpoint", [each for each in TABLE if each.method in methods], ids=str
    )


@those("POST")
def test_a_post_under_a_key_is_done_once(endpoint: Endpoint, mine: tuple[Api, Ids]) -> None:
    api, ids = mine
    url, body = filled(endpoint.url, ids), filled(endpoint.body, ids)
    if endpoint.url == "/events":
        body = event(location=ids["location"])
    first, second = (api.post(url, body, **{"Idempotency-Key": "once"}) for _ in range(2))
    assert first.status_code == second.status_code == endpoint.status, first.content
    # What is refused has changed nothing, and is judged anew.
    is_done = endpoint.status < 400
    assert second.headers.get("Idempotent-Replayed") == ("true" if is_done else None)
    assert (second.json() == first.json()) is is_done
    assert first["X-Request-Id"] != second["X-Request-Id"]
    assert {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"} <= first.headers.keys()


@those("PATCH", "DELETE")
def test_a_change_is_refused_to_whoever_saw_another_state(
    endpoint: Endpoint, mine: tuple[Api, Ids]
) -> None:
    api, ids = mine
    url, body = filled(endpoint.url, ids), filled(endpoint.body, ids)
    answer = api.request(endpoint.method, url, body, **{"If-Match": OLD})
    problem(answer, 412, "precondition_failed")
    seen = api.get(url)["ETag"]
    assert answer["ETag"] == seen
    with transaction.atomic():
        answer = api.request(endpoint.method, url, body, **{"If-Match": seen})
        transaction.set_rollback(True)
    assert answer.status_code == endpoint.status, answer.content


@those("GET")
def test_what_is_read_keeps_to_what_is_asked(endpoint: Endpoint, mine: tuple[Api, Ids]) -> None:
    api, ids = mine
    url = filled(endpoint.url, ids)
    sign = "&" if "?" in url else "?"
    answer = api.get(url)
    assert answer.status_code == endpoint.status, answer.content
    assert answer["X-Request-Id"].startswith("req_")
    assert {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"} <= answer.headers.keys()
    problem(api.get(f"{url}{sign}nothing=1"), 400, "invalid_parameter")
    if endpoint in LISTS:
        page = api.get(f"{url}?limit=1&fields=id").json()
        assert page.keys() == {"data", "next_cursor"}
        assert [set(row) for row in page["data"]] == [{"id"}]
        problem(api.get(f"{url}?fields=nothing"), 400, "invalid_parameter")
    elif "ETag" in answer:
        again = api.get(url, **{"If-None-Match": answer["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert api.get(f"{url}?fields=id").json() == {"id": answer.json()["id"]}


@pytest.mark.parametrize("url", sorted({each.url.partition("?")[0] for each in TABLE}))
def test_an_address_tells_which_methods_it_has(url: str, mine: tuple[Api, Ids]) -> None:
    api, ids = mine
    has = {each.method for each in TABLE if each.url.partition("?")[0] == url} | {"OPTIONS"}
    has |= {"HEAD"} if "GET" in has else set()
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - has:
        answer = api.request(method, filled(url, ids), {})
        problem(answer, 405, "method_not_allowed")
        assert set(answer["Allow"].split(", ")) == has, method
    answer = api.request("OPTIONS", filled(url, ids))
    # Nothing of how it is made, as the names of classes.
    assert (answer.status_code, answer.content) == (200, b"")
    assert set(answer["Allow"].split(", ")) == has
