"""An example for every body that the description of the API has.

It is made of the schemas: what a field says itself, else what its name, its format or its type
suggests.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

_Schema = Mapping[str, Any]

_MOMENT = "2026-03-28T00:05:00Z"
# What says more than a type does, by the name of the field.
_BY_NAME: dict[str, Any] = {
    "address_line_1": "1428 Elm Street",
    "caller": "+17776734736",
    "caller_name": "Freddy Krueger",
    "call": "call_01m7ww1k47ee29b090hsr0ncj7",
    "call_id": "call-77",
    "city": "Springwood",
    "code": "required",
    "column": "name",
    "country": "US",
    "csv": "name,city\nDowntown,Springwood\n",
    "default_value": "Thank you for your call. Goodbye.",
    "destination": "+15551234567",
    "domain": "shop.example.com",
    "email": "jane@example.com",
    "fallback_url": "https://backup.example.com/ivr",
    "file_name": "locations.csv",
    "hint": "hk_…4f2a",
    "host": "crm.example.com",
    "ip": "203.0.113.7",
    "key": "1",
    "label": "Sales",
    "last_error": "",
    "message": "This field is required.",
    "name": "Downtown",
    "note": "2 locations",
    "number": 1,
    "path": "$.phone",
    "payload": '{"phone": "7776734736"}',
    "pointer": "/name",
    "prompt": "Press 1 for your balance.",
    "redirect_url": "https://switch.example.com/next",
    "request_id": "req_01m7ww1k9he5zrjyfjzttf2b2s",
    "sample": '{"phone": "%ani%"}',
    "secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
    "state": "Ohio",
    "success_codes": [200, 201, 202, 204],
    "target_url": "https://crm.example.com/ivr",
    "time_zone": "America/New_York",
    "token": "ani",
    "tracking_number": "+17774839229",
    "transcription_url": "https://crm.example.com/transcripts",
    "url": "https://crm.example.com/leads",
    "user_agent": "python-requests/2.32",
    "zip": "45011",
}
_BY_FORMAT: dict[str, Any] = {
    "date-time": _MOMENT,
    "date": "2026-03-28",
    "email": "jane@example.com",
    "uri": "https://crm.example.com/leads",
}
_BY_TYPE: dict[str, Any] = {
    "string": "text",
    "integer": 1,
    "number": 12.5,
    "boolean": True,
    "null": None,
    "object": {},
}
# Deep enough for every body of ours; a schema that holds itself ends there.
_MOST_LEVELS = 8


def add_examples(result: Any, generator: Any, request: Any, public: bool) -> Any:
    """Give every JSON body of a description its example (a hook of drf-spectacular)."""
    schemas = result["components"]["schemas"]
    for methods in result["paths"].values():
        for operation in methods.values():
            _show(operation.get("requestBody", {}), schemas, is_request=True)
            for response in operation["responses"].values():
                _show(response, schemas, is_request=False)
    return result


def example_of(
    schema: _Schema, schemas: _Schema, name: str = "", *, is_request: bool, level: int = 0
) -> Any:
    """Return an example of a schema; of a request, what it needs and no more."""
    if "example" in schema:
        return schema["example"]
    if "default" in schema and not is_request:
        return schema["default"]
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
        return example_of(schema, schemas, name, is_request=is_request, level=level)
    for combined in ("allOf", "oneOf", "anyOf"):
        if combined in schema:
            first = schema[combined][0]
            return example_of(first, schemas, name, is_request=is_request, level=level)
    if "enum" in schema:
        return schema["enum"][0]
    of_type = schema.get("type", "object")
    kind = of_type[0] if isinstance(of_type, list) else of_type
    if isinstance(of_type, list) and name not in _BY_NAME and not is_request:
        return None
    if "properties" in schema and level < _MOST_LEVELS:
        return {
            each: example_of(inner, schemas, each, is_request=is_request, level=level + 1)
            for each, inner in _shown(schema, is_request=is_request)
        }
    known = _BY_NAME.get(name)
    if known is not None and _fits(known, kind, schema):
        return known
    if kind == "array" and level < _MOST_LEVELS:
        items = schema.get("items", {})
        return [example_of(items, schemas, name, is_request=is_request, level=level + 1)]
    if kind == "string" and "format" in schema:
        return _BY_FORMAT.get(schema["format"], "text")
    if kind == "integer":
        return schema.get("minimum", 1)
    return [] if kind == "array" else _BY_TYPE[kind]


def problem_example(status: int, code: str, detail: str) -> dict[str, Any]:
    """Return a problem of a status."""
    problem = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": _BY_NAME["request_id"],
    }
    if status == HTTPStatus.BAD_REQUEST:
        fault = {"parameter": "limit", "code": "invalid", "message": "A number from 1 to 200."}
        return {**problem, "errors": [fault]}
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        fault = {"pointer": "/name", "code": "required", "message": "This field is required."}
        return {**problem, "errors": [fault]}
    return problem


def _show(body: Any, schemas: _Schema, *, is_request: bool) -> None:
    for media_type, content in body.get("content", {}).items():
        if media_type == "application/json" and not {"example", "examples"} & content.keys():
            content["example"] = example_of(content["schema"], schemas, is_request=is_request)


def _shown(schema: _Schema, *, is_request: bool) -> list[tuple[str, _Schema]]:
    """Return the properties that an example has; of a change, the first that is only one value."""
    properties = list(schema["properties"].items())
    if not is_request:
        return properties
    required = set(schema.get("required", ()))
    needed = [(name, each) for name, each in properties if name in required]
    simple = [(name, each) for name, each in properties if name in ("name", "is_active", "label")]
    return needed or simple[:1]


def _fits(value: Any, kind: str, schema: _Schema) -> bool:
    """Tell whether a value for the name is one of this type, as short as it must be."""
    if isinstance(value, str):
        return kind == "string" and len(value) <= schema.get("maxLength", len(value))
    return {"integer": int, "array": list}.get(kind) is type(value)
