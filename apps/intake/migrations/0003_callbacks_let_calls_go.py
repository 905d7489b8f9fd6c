"""A call that is purged leaves its callbacks without one: they kept it, and all purges with it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0007_lighter_rows"),
        ("intake", "0002_audited"),
    ]

    operations = [
        migrations.AlterField(
            model_name="callback",
            name="call",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="calls.call",
            ),
        ),
        migrations.RunSQL(
            "ALTER TABLE intake_callback ADD CONSTRAINT callback_of_call FOREIGN KEY (call_id)"
            " REFERENCES calls_call (id) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED",
            "ALTER TABLE intake_callback DROP CONSTRAINT callback_of_call",
        ),
    ]
