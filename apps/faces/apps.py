"""Django's entry for this room."""

from django.apps import AppConfig


class FacesConfig(AppConfig):
    """Screens for the systems that Hookline replaces."""

    name = "apps.faces"
    verbose_name = "Developer tools"
