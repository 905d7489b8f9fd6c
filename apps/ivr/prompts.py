"""Prompts with parameters: `Hello @firstName` becomes what the caller hears. Pure."""

import re
from collections.abc import Mapping

from apps.ivr.speech import bounded

# Not behind a letter or digit: that is an e-mail address.
_PARAMETER = re.compile(r"(?<!\w)@([A-Za-z_][A-Za-z0-9_]*)")


def resolved(text: str, parameters: Mapping[str, str]) -> str:
    """Return the text with each `@name` replaced by its value, by nothing where there is none.

    In one pass: a value that has an `@name` in it is not replaced again.
    """
    return bounded(_PARAMETER.sub(lambda match: parameters.get(match[1], ""), text))
