"""The description of the API that is checked in is the one that the code gives."""

import yaml
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from tests.architecture.api_table import TABLE
from tests.architecture.image import BASE_DIR
from tests.architecture.test_api_permissions import generic

FILE = BASE_DIR / "static/api/openapi.yaml"


def test_is_in_step_with_the_code() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    assert yaml.safe_load(FILE.read_text()) == schema, "run `make openapi`"


def test_is_openapi_and_has_every_endpoint_of_the_table() -> None:
    schema = yaml.safe_load(FILE.read_text())
    validate_schema(schema)
    assert schema["openapi"].startswith("3.1")
    described = {
        (method.upper(), generic(path))
        for path, methods in schema["paths"].items()
        for method in methods
    }
    assert {(each.method, generic(each.url.partition("?")[0])) for each in TABLE} <= described


def test_says_how_to_authenticate_and_what_goes_wrong() -> None:
    schema = yaml.safe_load(FILE.read_text())
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            assert {"key": []} in operation["security"], (method, path)
            wanted = {"401", "403", "429"}
            assert wanted <= operation["responses"].keys(), (method, path)
            assert operation["summary"], (method, path)
