"""What OPTIONS is answered with."""

from typing import Any

from rest_framework.metadata import BaseMetadata
from rest_framework.request import Request


class AllowedOnly(BaseMetadata):
    """Tells which methods there are, in `Allow`, and nothing of how a view is made."""

    def determine_metadata(self, request: Request, view: Any) -> None:
        """Return no body: what each method takes is in the description of the API."""
