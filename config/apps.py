"""Hookline's admin site in place of Django's."""

from django.contrib.admin.apps import AdminConfig


class HooklineAdminConfig(AdminConfig):
    """Makes our site the one that `admin.site` names."""

    default_site = "apps.common.admin.HooklineAdminSite"
