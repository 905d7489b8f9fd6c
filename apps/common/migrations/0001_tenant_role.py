"""The restricted role and what the policies ask it."""

from django.db import migrations

from apps.common.row_security import CREATE_ROLE


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.RunSQL(
            CREATE_ROLE,
            # The role stays: other databases of the cluster may use it.
            "DROP FUNCTION hookline_reachable(); DROP FUNCTION hookline_shared_from();"
            " DROP FUNCTION hookline_user();",
        )
    ]
