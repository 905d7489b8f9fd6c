"""Django's entry for this room."""

from django.apps import AppConfig


class IvrRoomConfig(AppConfig):
    """The exchange with a receiver while a caller waits."""

    name = "apps.ivr"
    verbose_name = "IVRs"
