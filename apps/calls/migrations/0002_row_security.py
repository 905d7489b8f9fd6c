"""Put the tables of this room behind the wall."""

from django.db import migrations

from apps.common.row_security import EnableRowSecurity


class Migration(migrations.Migration):
    dependencies = [("calls", "0001_initial"), ("common", "0001_tenant_role")]
    operations = [
        EnableRowSecurity("Call"),
        # An event is a fact: it is never changed.
        EnableRowSecurity("CallEvent", privileges="SELECT, INSERT, DELETE"),
    ]
