"""Django's entry for this room."""

from django.apps import AppConfig
from django.core.checks import register

from apps.common.checks import SETTINGS
from apps.delivery.checks import check_lease


class DeliveryConfig(AppConfig):
    """Deliveries and their attempts."""

    name = "apps.delivery"

    def ready(self) -> None:
        """Have the settings checked, and what was sent for a call forgotten with its person."""
        from apps.calls.erasing import FORGET  # noqa: PLC0415 - needs the models
        from apps.delivery.services.erase import forget_deliveries  # noqa: PLC0415

        register(check_lease, SETTINGS)
        FORGET.append(forget_deliveries)
