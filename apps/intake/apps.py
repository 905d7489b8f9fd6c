"""Django's entry for this room."""

from django.apps import AppConfig


class IntakeConfig(AppConfig):
    """What a phone platform calls."""

    name = "apps.intake"
