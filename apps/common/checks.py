"""System checks of settings that would otherwise fail in the middle of work."""

from collections.abc import Sequence
from typing import Any

from cryptography.fernet import Fernet
from django.apps import AppConfig
from django.conf import settings
from django.core import checks

from apps.common.egress import EgressPolicy

# The tag of these checks: what a process that answers nobody wants to know before it begins.
SETTINGS = "settings"


def check_credential_keys(
    app_configs: Sequence[AppConfig] | None = None, **options: Any
) -> list[checks.CheckMessage]:
    """Refuse a key that can not encrypt."""
    faults: list[checks.CheckMessage] = []
    for place, key in enumerate(settings.CREDENTIAL_KEYS, start=1):
        try:
            Fernet(key)
        except ValueError:
            faults.append(
                checks.Error(
                    f"Key {place} of CREDENTIAL_KEYS is not a Fernet key.",
                    hint="A key is 32 random bytes in URL-safe base64; .env.example makes one.",
                    id="common.E001",
                )
            )
    return faults


def check_egress_allow(
    app_configs: Sequence[AppConfig] | None = None, **options: Any
) -> list[checks.CheckMessage]:
    """Refuse a network or a proxy that can not be read."""
    try:
        EgressPolicy.from_strings(settings.EGRESS_ALLOW)
    except ValueError as error:
        return [
            checks.Error(
                f"EGRESS_ALLOW can not be read: {error}.",
                hint="Write networks as 10.1.0.0/16 or fd00::/8, separated by commas.",
                id="common.E002",
            )
        ]
    try:
        EgressPolicy.from_strings([], settings.EGRESS_PROXY)
    except ValueError as error:
        return [
            checks.Error(
                f"EGRESS_PROXY can not be read: {error}.",
                hint="The URL of a proxy that takes CONNECT, as http://proxy.internal:3128.",
                id="common.E003",
            )
        ]
    return []
