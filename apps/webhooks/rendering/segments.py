"""The common form of a compiled template: finished bytes, and writers for what a call decides."""

from collections.abc import Callable, Sequence

from apps.webhooks.tokens import Snapshot

Writer = Callable[[Snapshot], bytes]
"""Writes one place, escaped for its format."""

OptionalWriter = Callable[[Snapshot], bytes | None]
"""Writes one place, or None where the call leaves it out."""

Segment = bytes | Writer

Condition = Callable[[Snapshot], bool]
"""Tells whether a call has what a place asks of it."""

Node = list[Segment] | OptionalWriter
"""A compiled place: segments that are always written, or a writer that may leave it out."""


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


def prefixed(prefix: bytes, node: Node) -> Node:
    """The node behind a prefix, which is left out with it."""
    if isinstance(node, list):
        return [prefix, *node]

    def write(snapshot: Snapshot) -> bytes | None:
        value = node(snapshot)
        return None if value is None else prefix + value

    return write


def conditional(is_met: Condition, node: Node, otherwise: bytes | None) -> Node:
    """The node where the condition is met, and something finished, or nothing, where it is not."""
    if isinstance(node, list) and otherwise is not None:
        write = joined(node)
        return [lambda snapshot: write(snapshot) if is_met(snapshot) else otherwise]
    write_some = joined(node) if isinstance(node, list) else node
    return lambda snapshot: write_some(snapshot) if is_met(snapshot) else otherwise


def separated(nodes: Sequence[Node], separator: bytes) -> list[Segment]:
    """Nodes with separators between those that are there."""
    fixed = [node for node in nodes if isinstance(node, list)]
    if len(fixed) == len(nodes):
        segments: list[Segment] = []
        for index, node in enumerate(fixed):
            segments += [separator, *node] if index else node
        return segments
    writers = [joined(node) if isinstance(node, list) else node for node in nodes]

    def write(snapshot: Snapshot) -> bytes:
        written = [writer(snapshot) for writer in writers]
        return separator.join([each for each in written if each is not None])

    return [write]
