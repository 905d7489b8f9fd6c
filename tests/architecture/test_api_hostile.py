"""Whatever a body holds, the API answers with a problem that clients can act on, never a 500."""

from typing import Any

import pytest

from tests.api_client import api_for
from tests.architecture.accounts import Rows
from tests.architecture.api_table import TABLE, Endpoint
from tests.architecture.test_api_described import described
from tests.architecture.test_api_permissions import agency_of, ask, filled, generic

pytestmark = pytest.mark.django_db

SCHEMA = described()
HOSTILE: list[Any] = [
    None,
    "",
    "\x00",
    "é😀" * 400,
    -1,
    2**63 - 1,
    1e30,
    1.5,
    True,
    [],
    [[]],
    {},
    {"a": {"b": []}},
    "9999-12-31T23:59:59-23:59",
]


def names_of(endpoint: Endpoint) -> list[str]:
    """Return the fields that the description names for the body of an endpoint."""
    for path, methods in SCHEMA["paths"].items():
        operation = methods.get(endpoint.method.lower())
        if operation and generic(path) == generic(endpoint.url):
            content = operation.get("requestBody", {}).get("content", {})
            ref = content.get("application/json", {}).get("schema", {}).get("$ref", "")
            schema = SCHEMA["components"]["schemas"].get(ref.rpartition("/")[2], {})
            return list(schema.get("properties", ()))
    return []


@pytest.mark.parametrize(
    "endpoint",
    [each for each in TABLE if each.method in ("POST", "PATCH") and names_of(each)],
    ids=str,
)
def test_a_hostile_body_is_told_what_is_wrong(endpoint: Endpoint, mine: Rows) -> None:
    account, ids = agency_of(mine)
    api = api_for(account)
    good = filled(endpoint.body, ids) or {}
    names = names_of(endpoint)
    bodies = [dict.fromkeys(names, value) for value in HOSTILE]
    bodies += [{**good, name: value} for name in names for value in (None, -1, 1e30, [[]], {})]
    for body in bodies:
        response = ask(api, Endpoint(endpoint.method, endpoint.url, "", None, 0, body), ids)
        assert response.status_code < 500, (body, response.content)
