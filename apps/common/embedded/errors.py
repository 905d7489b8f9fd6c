"""What can go wrong with embedded services, in words a person can act on."""

from pathlib import Path

_TAIL_LINES = 15


class EmbeddedServiceError(Exception):
    """A service could not be run; the message says why and what to do."""


class DataDirectoryTakenError(EmbeddedServiceError):
    """Another running instance uses the data directory."""


class ServiceFailedError(EmbeddedServiceError):
    """A service did not start; the message ends with the tail of its log."""

    def __init__(self, service: str, why: str, log: Path | None = None) -> None:
        lines = []
        if log is not None and log.is_file():
            lines = log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
        message = f"{service} did not start: {why}"
        if lines:
            message += f"\nThe end of its log ({log}):\n" + "\n".join(f"  {line}" for line in lines)
        super().__init__(message)
