"""Refuse calls at another account's location, and events of another account's call."""

from django.db import migrations

from apps.common.row_security import CheckReferences


class Migration(migrations.Migration):
    dependencies = [("calls", "0002_row_security"), ("accounts", "0002_row_security")]
    operations = [
        CheckReferences("Call", {"location_id": "accounts_location"}),
        CheckReferences("CallEvent", {"call_id": "calls_call"}),
    ]
