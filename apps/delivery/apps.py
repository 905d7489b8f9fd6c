"""Django's entry for this room."""

from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    """Deliveries and their attempts."""

    name = "apps.delivery"
