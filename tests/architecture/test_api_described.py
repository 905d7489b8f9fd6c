"""The description of the API that is checked in is the one that the code gives."""

from functools import cache
from typing import Any

import yaml
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from tests.architecture.api_table import TABLE
from tests.architecture.image import BASE_DIR
from tests.architecture.test_api_permissions import generic

FILE = BASE_DIR / "static/api/openapi.yaml"


@cache
def described() -> dict[str, Any]:
    """Return the description; the parser in Python would take seconds."""
    schema: dict[str, Any] = yaml.load(FILE.read_text(), Loader=yaml.CSafeLoader)
    return schema


def test_is_in_step_with_the_code() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    assert described() == schema, "run `make openapi`"


def test_is_openapi_and_has_every_endpoint_of_the_table() -> None:
    schema = described()
    validate_schema(schema)
    assert schema["openapi"].startswith("3.1")
    known = {
        (method.upper(), generic(path))
        for path, methods in schema["paths"].items()
        for method in methods
    }
    assert {(each.method, generic(each.url.partition("?")[0])) for each in TABLE} <= known


def test_says_how_to_authenticate_and_what_goes_wrong() -> None:
    schema = described()
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            assert {"key": []} in operation["security"], (method, path)
            wanted = {"401", "403", "429"}
            assert wanted <= operation["responses"].keys(), (method, path)
            assert operation["summary"], (method, path)


def test_has_an_example_of_every_body_and_says_every_problem() -> None:
    schema = described()
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
            for body in bodies:
                if "$ref" in body:
                    body = schema["components"]["responses"][body["$ref"].rpartition("/")[2]]
                for media_type, content in body.get("content", {}).items():
                    if media_type.endswith("json"):
                        assert {"example", "examples"} & content.keys(), (method, path)
    codes = {
        content["example"]["code"]
        for response in schema["components"]["responses"].values()
        for content in response["content"].values()
    }
    assert {"not_found", "invalid", "rate_limited", "precondition_failed"} <= codes
