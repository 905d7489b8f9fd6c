"""Data that a receiver keeps with a call: `key|value||key|value`. Pure.

It goes back exactly as it came; only people see it taken apart.
"""

MAX_CHARS = 2_000


def pairs_of(text: str) -> list[tuple[str, str]]:
    """Return keys and values in order; a part without a bar is a key without a value."""
    parts = [part.partition("|") for part in text.split("||") if part]
    return [(key, value) for key, _, value in parts]
