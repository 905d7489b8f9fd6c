"""Open an account from a script."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from apps.accounts.models import Account, AccountKind
from apps.accounts.services import open_account
from apps.common.checks import SETTINGS
from apps.common.ids import InvalidPublicId


class Command(BaseCommand):
    """Opens an account with its owner, a first location and a full-scope API key."""

    help = "Open an account with an owner, a first location and an API key with every scope."
    requires_system_checks = [SETTINGS]

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--name", required=True, help="The account's name.")
        parser.add_argument("--email", required=True, help="Its owner; made if new.")
        parser.add_argument("--password", required=True, help="The owner's, if new.")
        parser.add_argument("--kind", choices=AccountKind.values, default=AccountKind.CLIENT.value)
        parser.add_argument("--agency", help="Id of the agency that manages it (acc_…).")
        parser.add_argument("--time-zone", default="America/New_York")
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Open the account and print its ids and key."""
        try:
            opened = open_account(
                name=options["name"],
                email=options["email"],
                password=options["password"],
                kind=AccountKind(options["kind"]),
                parent=_agency(options["agency"]),
                time_zone=options["time_zone"],
            )
        except ValidationError as error:
            raise CommandError(
                "; ".join(
                    f"{field}: {' '.join(texts)}" for field, texts in error.message_dict.items()
                )
            ) from None
        printed = {
            "account_id": opened.account.public_id,
            "user_id": opened.owner.public_id,
            "location_id": opened.location.public_id,
            "api_key_id": opened.key.public_id,
            "api_key": opened.token,
            "email": opened.owner.email,
        }
        if options["json"]:
            self.stdout.write(json.dumps(printed))
            return
        for name, value in printed.items():
            self.stdout.write(f"{name:<12} {value}")
        self.stdout.write("The API key is shown only this once.")


def _agency(public_id: str | None) -> Account | None:
    if not public_id:
        return None
    try:
        return Account.objects.get(pk=Account.key_of(public_id))
    except (InvalidPublicId, Account.DoesNotExist):
        raise CommandError(f"There is no account {public_id}.") from None
