"""Django's entry for this room."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """The home page and the demo."""

    name = "apps.console"
