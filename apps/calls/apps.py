"""Django's entry for this room."""

from django.apps import AppConfig


class CallsConfig(AppConfig):
    """Calls and their events."""

    name = "apps.calls"
