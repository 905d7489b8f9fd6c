"""How the API is described: what every endpoint has in common, added to each."""

from drf_spectacular.openapi import AutoSchema


class HooklineSchema(AutoSchema):
    """Describes an endpoint."""
