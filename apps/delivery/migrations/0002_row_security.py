"""Put the tables of this room behind the wall."""

from django.db import migrations

from apps.common.row_security import EnableRowSecurity


class Migration(migrations.Migration):
    dependencies = [("delivery", "0001_initial"), ("common", "0001_tenant_role")]
    operations = [
        EnableRowSecurity("Delivery"),
        # Attempts are written by the engine alone.
        EnableRowSecurity("Attempt", privileges="SELECT, DELETE"),
    ]
