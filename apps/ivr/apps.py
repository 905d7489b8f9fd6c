"""Django's entry for this room."""

from django.apps import AppConfig


class IvrRoomConfig(AppConfig):
    """The exchange with a receiver while a caller waits."""

    name = "apps.ivr"
    verbose_name = "IVRs"

    def ready(self) -> None:
        """Have exchanges forgotten with what else is."""
        from apps.calls.erasing import FORGET  # noqa: PLC0415 - needs the models
        from apps.delivery.retention import PURGES  # noqa: PLC0415
        from apps.ivr.retention import forget_exchanges, purge_exchanges  # noqa: PLC0415

        PURGES.append(purge_exchanges)
        FORGET.append(forget_exchanges)
