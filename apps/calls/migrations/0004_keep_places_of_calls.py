"""Keep a location that has calls."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_active_says_what_it_does"),
        ("calls", "0003_check_references"),
    ]

    operations = [
        migrations.AlterField(
            model_name="call",
            name="location",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="calls",
                to="accounts.location",
            ),
        ),
    ]
