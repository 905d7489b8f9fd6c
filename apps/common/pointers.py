"""JSON pointers (RFC 6901): how a place in a document is told."""


def escaped(segment: str) -> str:
    """Return a name as it stands between the slashes of a pointer."""
    return segment.replace("~", "~0").replace("/", "~1")
