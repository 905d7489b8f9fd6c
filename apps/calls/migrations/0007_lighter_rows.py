"""Write events with one check of a foreign key less, and analyse no documents (decision 29)."""

import django.db.models.deletion
from django.db import migrations, models

from apps.common.table_operations import SpareAnalysis


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_business_hours"),
        ("calls", "0006_erased_at"),
    ]

    operations = [
        migrations.AlterField(
            model_name="callevent",
            name="account",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="accounts.account",
            ),
        ),
        SpareAnalysis("Call", "context", "snapshot"),
        SpareAnalysis("CallEvent", "facts", "snapshot"),
    ]
