"""Django's entry for this room."""

from django.apps import AppConfig


class IntakeConfig(AppConfig):
    """What a phone platform calls."""

    name = "apps.intake"

    def ready(self) -> None:
        """Have callbacks of a call forgotten when its personal data is erased."""
        from apps.calls.erasing import FORGET  # noqa: PLC0415 - needs the models
        from apps.intake.forgetting import forget_callbacks  # noqa: PLC0415

        FORGET.append(forget_callbacks)
