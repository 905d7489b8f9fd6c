"""Let an attachment send a template of its own, which must be of the same account."""

import django.db.models.deletion
from django.db import migrations, models

from apps.common.row_security import CheckReferences


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0004_active_says_what_it_does"),
        ("webhooks", "0009_faces"),
    ]

    operations = [
        migrations.AddField(
            model_name="attachment",
            name="own_template",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="webhooks.template",
            ),
        ),
        CheckReferences("Attachment", references={"own_template_id": "webhooks_template"}),
    ]
