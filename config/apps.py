"""Hookline's admin site in place of Django's."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks


class HooklineAdminConfig(SimpleAdminConfig):
    """Makes our site the one that `admin.site` names.

    Its pages are found with the addresses, in config/urls.py: a process that answers nobody, as a
    worker, starts in half the time without them.
    """

    default_site = "apps.common.admin.HooklineAdminSite"

    def ready(self) -> None:
        """Have the pages checked with the rest of the project."""
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(check_pages, checks.Tags.admin)


def check_pages(
    app_configs: Sequence[AppConfig] | None = None, **options: Any
) -> list[checks.CheckMessage]:
    """Find the pages and check each, whichever check comes first."""
    import_module(settings.ROOT_URLCONF)
    return check_admin_app(app_configs, **options)
