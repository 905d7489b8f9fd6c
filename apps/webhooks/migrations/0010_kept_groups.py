"""Keep a group while templates are for it alone: without it they would be the whole account's."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("webhooks", "0009_faces"),
    ]

    operations = [
        migrations.AlterField(
            model_name="template",
            name="current_version",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="+",
                to="webhooks.templateversion",
            ),
        ),
        migrations.AlterField(
            model_name="template",
            name="group",
            field=models.ForeignKey(
                blank=True,
                help_text="Only locations of this group may use it; empty: the whole account.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="templates",
                to="accounts.group",
            ),
        ),
    ]
