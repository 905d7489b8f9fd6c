"""The common form of a compiled template: finished bytes, and writers for what a call decides."""

from collections.abc import Callable, Sequence

from apps.webhooks.tokens import Snapshot

Writer = Callable[[Snapshot], bytes]
"""Writes one place, escaped for its format."""

OptionalWriter = Callable[[Snapshot], bytes | None]
"""Writes one place, or None where the call leaves it out."""

Segment = bytes | Writer


def joined(segments: Sequence[Segment]) -> Writer:
    """One writer for all segments in order; neighbouring bytes are joined once, not per call."""
    chunks: list[bytes] = []
    writers: list[tuple[int, Writer]] = []
    for segment in segments:
        if not isinstance(segment, bytes):
            writers.append((len(chunks), segment))
            chunks.append(b"")
        elif chunks and not (writers and writers[-1][0] == len(chunks) - 1):
            chunks[-1] += segment
        else:
            chunks.append(segment)

    def write(snapshot: Snapshot) -> bytes:
        filled = chunks.copy()
        for index, writer in writers:
            filled[index] = writer(snapshot)
        return b"".join(filled)

    return write
