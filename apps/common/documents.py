"""JSON: read as a person typed it, written as rows hold it."""

import json
from typing import Any

import orjson


class StrictDecoder(json.JSONDecoder):
    """For a JSONField: refuses NaN, endless nesting and huge numbers with an error of its form."""

    def decode(self, s: str, *args: Any) -> Any:
        """Return the value; raises JSONDecodeError for whatever is not JSON by RFC 8259."""
        return orjson.loads(s)


def as_json(value: Any) -> bytes:
    """Return a value as compact JSON in UTF-8; keys and times as text.

    Numbers beyond 64 bits, which a column of jsonb may hold, are written by the slower encoder.
    """
    try:
        return orjson.dumps(value)
    except TypeError:
        text = json.dumps(value, default=str, ensure_ascii=False, separators=(",", ":"))
        return text.encode()
