"""How rows that are made together share their account."""

from typing import Any

import factory


def account_of(attribute: str) -> Any:
    """Take the account of a row that this one belongs to."""
    return factory.SelfAttribute(f"{attribute}.account")


def same_account() -> Any:
    """Give a related row the account of the row that is being made."""
    return factory.SelfAttribute("..account")
