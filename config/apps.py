"""Hookline's admin site in place of Django's."""

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.apps import AdminConfig


class HooklineAdminConfig(AdminConfig):
    """Makes our site the one that `admin.site` names."""

    default_site = "apps.common.admin.HooklineAdminSite"

    def ready(self) -> None:
        """Register every room's admin; leave Django's groups out, as roles replace them."""
        super().ready()
        admin.site.unregister(apps.get_model("auth", "Group"))
