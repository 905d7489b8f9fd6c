"""Reading JSON that a person typed."""

import json
from typing import Any

import orjson


class StrictDecoder(json.JSONDecoder):
    """For a JSONField: refuses NaN, endless nesting and huge numbers with an error of its form."""

    def decode(self, s: str, *args: Any) -> Any:
        """Return the value; raises JSONDecodeError for whatever is not JSON by RFC 8259."""
        return orjson.loads(s)
