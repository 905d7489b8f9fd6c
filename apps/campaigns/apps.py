"""Django's entry for this room."""

from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    """Campaigns, treatments and attachments."""

    name = "apps.campaigns"
