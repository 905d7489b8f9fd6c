"""Whatever people change is in the audit log."""

import pytest
from django.apps import apps
from django.db import connection

from apps.common.fields import EncryptedTextField
from apps.common.models import HooklineModel

pytestmark = pytest.mark.django_db

# What Hookline writes by itself while it works, and what only one person sees.
WRITTEN_BY_HOOKLINE = {
    "Alert",
    "Attempt",
    "AuditEntry",
    "Call",
    "Callback",
    "CallerTurn",
    "CallEvent",
    "Delivery",
    "EndpointHealth",
    # Its end is recorded, with how much it wrote.
    "Import",
    "IvrExchange",
    "RetiredSecret",
    "StoredAnswer",
    "WebhookDraft",
}


def triggers() -> dict[str, str]:
    """Return the definition of each table's trigger."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, pg_get_triggerdef(oid) FROM pg_trigger"
            " WHERE tgname = 'audited'"
        )
        return dict(cursor.fetchall())


def test_every_model_is_audited_or_written_by_hookline_itself() -> None:
    models = [model for model in apps.get_models() if issubclass(model, HooklineModel)]
    missing = {model.__name__ for model in models if model._meta.db_table not in triggers()}
    assert missing == WRITTEN_BY_HOOKLINE, "Add `Audited` to a migration of the room."


def test_every_secret_of_an_audited_model_is_masked() -> None:
    definitions = triggers()
    for model in apps.get_models():
        definition = definitions.get(model._meta.db_table)
        for field in model._meta.concrete_fields:
            if definition and isinstance(field, EncryptedTextField):
                *_, masks = definition.rstrip("')").split("'")
                assert field.column in masks.split(","), f"{model.__name__}.{field.name}"
