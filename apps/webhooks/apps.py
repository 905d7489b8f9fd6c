"""Django's entry for this room."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """Tokens, templates and webhooks."""

    name = "apps.webhooks"
