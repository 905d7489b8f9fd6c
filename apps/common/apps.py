"""Django's entry for this room."""

from django.apps import AppConfig


class CommonConfig(AppConfig):
    """What every room builds on."""

    name = "apps.common"
