"""Make the demo accounts."""

import json
import os
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from apps.common.checks import SETTINGS
from apps.console.demo.history import make_exchanges, make_history
from apps.console.demo.keepsakes import FILE_NAME
from apps.console.demo.seeding import keep_secrets, logins, seed

_RECEIVER_URL = "http://127.0.0.1:8900"


class Command(BaseCommand):
    """Makes the demo once; run again, it changes nothing but a moved receiver's address.

    The receiver's address comes from DEMO_RECEIVER_URL. Passwords are random, and kept in
    `demo.json` in the data directory.
    """

    help = "Make demo accounts, webhooks to the local receiver and some past calls, unless made."
    requires_system_checks = [SETTINGS]

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--json", action="store_true", help="Print the logins as JSON.")
        parser.add_argument(
            "--secrets", action="store_true", help="Only keep the secrets of webhooks as they are."
        )
        parser.add_argument("--no-history", action="store_true", help="Leave out past calls.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed, and print who can log in."""
        keepsakes = settings.DATA_DIR / FILE_NAME
        if options["secrets"]:
            keep_secrets(keepsakes=keepsakes)
            return
        try:
            # In one: a demo whose history broke off would stay without it for ever.
            with transaction.atomic():
                is_new = seed(
                    receiver_url=os.environ.get("DEMO_RECEIVER_URL", _RECEIVER_URL),
                    keepsakes=keepsakes,
                )
                if is_new and not options["no_history"]:
                    make_history(now=timezone.now())
        except ValidationError as error:
            raise CommandError(
                f"The demo's receiver can not be used: {' '.join(error.messages)}"
                " Allow it: EGRESS_ALLOW=127.0.0.0/8."
            ) from None
        if is_new and not options["no_history"]:
            make_exchanges()
        people = logins(keepsakes=keepsakes)
        if options["json"]:
            self.stdout.write(json.dumps(people))
            return
        rows = [{name: name.capitalize() for name in people[0]}, *people] if people else []
        widths = {name: max(len(row[name]) for row in rows) for name in rows[0]} if rows else {}
        for row in rows:
            self.stdout.write("  ".join(row[name].ljust(widths[name]) for name in row).rstrip())
