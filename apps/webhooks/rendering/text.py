"""Short texts with tokens outside of a body: the values of HTTP headers."""

import re
from dataclasses import dataclass

from apps.webhooks.rendering.sources import text_of
from apps.webhooks.tokens import Snapshot, Token, split, without_surrogates
from apps.webhooks.tokens.readers import Reader

_BREAKS = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class CompiledText:
    """A text with tokens, ready to render; `tokens` are the names that it reads."""

    tokens: frozenset[str]
    _read: Reader

    def render(self, snapshot: Snapshot) -> str:
        """The text for a call, on one line: line breaks and control characters become spaces."""
        text = self._read(snapshot)
        return without_surrogates(_BREAKS.sub(" ", text)).strip()


def compile_text(text: str) -> CompiledText:
    """Compile a text such as `Bearer %custom.token%`. Raises UnknownToken."""
    parts = split(text)
    names = frozenset(part.name for part in parts if isinstance(part, Token))
    return CompiledText(names, text_of(parts))
