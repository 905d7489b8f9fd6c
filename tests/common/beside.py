"""Somebody who changes something while somebody else does."""

import threading
from collections.abc import Callable
from typing import TypeVar

from django.db import connection, connections, transaction

from apps.webhooks.models import Webhook
from tests.builders import attach
from tests.common.processes import wait_until
from tests.transactions import somebody_waits

_PATIENCE_S = 60.0
_Result = TypeVar("_Result")


def beside(
    first: Callable[[], object],
    second: Callable[[], _Result],
    *,
    meanwhile: Callable[[], object] = dict,
) -> _Result:
    """Do the first, and the second until it waits for that; then let the first commit.

    What is to be done `meanwhile` belongs to the first. Returns what the second returns.
    """
    results: list[_Result] = []

    def follow() -> None:
        try:
            results.append(second())
        finally:
            connections.close_all()

    following = threading.Thread(target=follow)
    with transaction.atomic():
        first()
        following.start()
        wait_until(somebody_waits)
        meanwhile()
    following.join(_PATIENCE_S)
    return results[0]


def attach_and_hold(webhook: Webhook) -> None:
    """Attach a webhook, and hold what the attachment refers to, as a commit does."""
    attach(webhook)
    connection.check_constraints()
