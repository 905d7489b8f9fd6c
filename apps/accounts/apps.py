"""Django's entry for this room."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users, accounts, groups, locations, memberships, API keys."""

    name = "apps.accounts"
