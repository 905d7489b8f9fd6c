"""Keep a webhook that has sent something."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0008_check_references"),
        ("webhooks", "0008_lent_templates"),
    ]

    operations = [
        migrations.AlterField(
            model_name="delivery",
            name="webhook",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="deliveries",
                to="webhooks.webhook",
            ),
        ),
    ]
