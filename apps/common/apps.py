"""Django's entry for this room."""

from django.apps import AppConfig
from django.core.checks import register

from apps.common.checks import SETTINGS, check_credential_keys, check_egress_allow


class CommonConfig(AppConfig):
    """What every room builds on."""

    name = "apps.common"
    # What pages of the audit log are under.
    verbose_name = "Settings"

    def ready(self) -> None:
        """Have the settings checked with the rest of the project."""
        register(check_credential_keys, SETTINGS)
        register(check_egress_allow, SETTINGS)
