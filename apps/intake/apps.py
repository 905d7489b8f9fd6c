"""Django's entry for this room."""

from django.apps import AppConfig


class IntakeConfig(AppConfig):
    """What a phone platform calls."""

    name = "apps.intake"

    def ready(self) -> None:
        """Have callbacks forgotten with what else is."""
        from apps.calls.erasing import FORGET  # noqa: PLC0415 - needs the models
        from apps.delivery.retention import PURGES  # noqa: PLC0415
        from apps.intake.forgetting import forget_callbacks, purge_callbacks  # noqa: PLC0415

        PURGES.append(purge_callbacks)
        FORGET.append(forget_callbacks)
