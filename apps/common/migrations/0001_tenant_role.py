"""The restricted role and what the policies ask it."""

from django.db import migrations

from apps.common.row_security import CREATE_FUNCTIONS, CREATE_ROLE, DROP_FUNCTIONS


class Migration(migrations.Migration):
    initial = True
    atomic = False
    dependencies = []
    operations = [
        # The role stays when this is undone: other databases of the cluster may use it.
        *(migrations.RunSQL(step, migrations.RunSQL.noop) for step in CREATE_ROLE),
        migrations.RunSQL(CREATE_FUNCTIONS, DROP_FUNCTIONS),
    ]
