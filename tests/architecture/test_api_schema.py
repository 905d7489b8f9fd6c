"""schemathesis asks every endpoint for what its description allows, and for what it does not.

All of its checks, with keys of each role, against the application itself: no 5xx, no status and no
answer that is not described. `API_EXAMPLES` is how many requests it makes up for an endpoint; with
more than the usual few it also walks the bounds of each value, which takes minutes.
"""

import os
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck
from hypothesis import settings as how
from pytest_django import Settings
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig

from apps.accounts.models import Scope
from apps.accounts.services import issue_key
from tests.architecture.accounts import Rows
from tests.architecture.api_table import TABLE
from tests.architecture.test_api_described import described
from tests.architecture.test_api_permissions import Ids, agency_of, filled, generic

pytestmark = pytest.mark.django_db

USUAL_EXAMPLES = 3
EXAMPLES = int(os.environ.get("API_EXAMPLES", USUAL_EXAMPLES))
KEYS = ([Scope.READ, Scope.WRITE], [Scope.READ], [Scope.WRITE], [Scope.INGEST])
# What no description can say: whether a cursor was ours, which years there are, what is stored.
KNOWN_TO_THE_DATA = {"cursor", "created_after", "created_before", "since", "until", "old", "new"}
_REFUSED = ["400", "401", "403", "404", "405", "406", "409", "412", "413", "415", "422"]
_TAKEN = ["2xx", "304", "400", "401", "403", "404", "409", "412", "422"]
SCHEMA = schemathesis.openapi.from_dict(
    deepcopy(described()),
    config=SchemathesisConfig.from_dict(
        {
            "generation": {"mode": "all", "max-examples": EXAMPLES},
            "phases": {"coverage": {"enabled": EXAMPLES > USUAL_EXAMPLES}},
            "checks": {
                "negative_data_rejection": {"expected-statuses": _REFUSED},
                "positive_data_acceptance": {"expected-statuses": _TAKEN},
            },
        }
    ),
)
_application = get_wsgi_application()
URLS = {generic(each.url.partition("?")[0]): each.url.partition("?")[0] for each in TABLE}
_ID = re.compile(r"([a-z]+)_[0-7][0-9a-hjkmnp-tv-z]{25}")


def undone(environ: dict[str, Any], start_response: Any) -> Any:
    """Answer as the application does, and undo what it did."""
    with transaction.atomic():
        response = _application(environ, start_response)
        transaction.set_rollback(True)
    return response


SCHEMA.app = undone


@pytest.fixture
def mine(mine: Rows, settings: Settings) -> Iterator[tuple[list[str], Ids]]:
    """Keys of an account with a row of everything.

    Requests are not counted, and leave the connection of the test open.
    """
    settings.API_RATE_LIMIT = settings.INTAKE_RATE_LIMIT = 0
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    account, ids = agency_of(mine)
    yield [issue_key(account=account, name="Fuzz", scopes=each, by=None)[1] for each in KEYS], ids
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@SCHEMA.parametrize()
@how(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_does_as_described(case: schemathesis.Case, mine: tuple[list[str], Ids]) -> None:
    tokens, ids = mine
    lead_somewhere(case, ids)
    for token in tokens:
        response = case.call_and_validate(headers={"Authorization": f"Bearer {token}"})
        if response.status_code == 400 and is_meant_well(case):
            named = {fault.get("parameter") for fault in response.json().get("errors", [])}
            assert named, response.json()
            assert named <= KNOWN_TO_THE_DATA, response.json()


def lead_somewhere(case: schemathesis.Case, ids: Ids) -> None:
    """Put rows that there are where a request names any."""
    by_prefix = {each.rpartition("_")[0]: each for each in ids.values()}
    if places := places_of(case.path, ids):
        case.path_parameters = {**case.path_parameters, **places}
    case.query = named(case.query, by_prefix)
    if isinstance(case.body, dict | list):
        case.body = named(case.body, by_prefix)


def places_of(path: str, ids: Ids) -> dict[str, str]:
    """Return what stands in the places of an address of the table; nothing for other ones."""
    url = URLS.get(generic(path))
    if url is None:
        return {}
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
    found = re.fullmatch(pattern, filled(url, ids))
    assert found, path
    return found.groupdict()


def named(value: Any, by_prefix: dict[str, str]) -> Any:
    """Return a value in which made-up ids are those of rows of the same kind."""
    if isinstance(value, dict):
        return {name: named(each, by_prefix) for name, each in value.items()}
    if isinstance(value, list):
        return [named(each, by_prefix) for each in value]
    found = _ID.fullmatch(value) if isinstance(value, str) else None
    return by_prefix.get(found[1], value) if found else value


def is_meant_well(case: schemathesis.Case) -> bool:
    """Tell whether a request was made up as the description says; it does not speak of NUL."""
    is_positive = case.meta is not None and case.meta.generation.mode == GenerationMode.POSITIVE
    return is_positive and "\\x00" not in repr(case.query)
