"""Which methods the URL of a source takes, and what it says of the others."""

import pytest
from django.test import Client

from apps.intake.models import Callback, Source
from tests.api_client import problem
from tests.builders import World
from tests.factories import SourceFactory
from tests.intake.calling import FORM, path_of

pytestmark = pytest.mark.django_db

TAKEN = [
    ("twilio", "json", {"POST"}),
    ("generic", "json", {"POST"}),
    ("generic", "xml", {"POST"}),
    ("generic", "form", {"POST"}),
    ("generic", "query", {"GET", "POST"}),
]
EACH = pytest.mark.parametrize(("kind", "form", "taken"), TAKEN)
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"}


def ask(method: str, path: str) -> tuple[object, set[str]]:
    """Send a request without a body; return the answer, and what it says is allowed."""
    answer = Client(raise_request_exception=False).generic(method, path, content_type=FORM)
    return answer, set(answer.headers.get("Allow", "").split(", "))


def source_of(world: World, kind: str, form: str) -> Source:
    source: Source = SourceFactory(account=world.account, kind=kind, format=form)
    return source


@EACH
def test_others_are_refused_with_those_that_are_taken(
    world: World, kind: str, form: str, taken: set[str]
) -> None:
    path = path_of(source_of(world, kind, form))
    for method in METHODS - taken:
        answer, allowed = ask(method, path)
        assert answer.status_code == 405, method  # type: ignore[attr-defined]
        if method != "HEAD":
            problem(answer, 405, "method_not_allowed")
        assert allowed == taken | {"OPTIONS"}, method
    assert not Callback.objects.exists()


@EACH
def test_can_be_asked_for(world: World, kind: str, form: str, taken: set[str]) -> None:
    answer, allowed = ask("OPTIONS", path_of(source_of(world, kind, form)))
    assert (answer.status_code, answer.content) == (200, b"")  # type: ignore[attr-defined]
    assert allowed == taken | {"OPTIONS"}
    assert not Callback.objects.exists()


def test_are_not_told_to_whoever_lacks_the_key(world: World) -> None:
    path = f"{path_of(source_of(world, 'generic', 'query'))}x"
    for method in [*METHODS, "OPTIONS"]:
        answer, _ = ask(method, path)
        assert answer.status_code == 404, method  # type: ignore[attr-defined]
