"""Django's entry for this room."""

from django.apps import AppConfig
from django.core.checks import register

from apps.delivery.checks import check_lease


class DeliveryConfig(AppConfig):
    """Deliveries and their attempts."""

    name = "apps.delivery"

    def ready(self) -> None:
        """Have the settings checked with the rest of the project."""
        register(check_lease)
