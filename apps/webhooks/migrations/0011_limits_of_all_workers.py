"""Tell a limit of requests at the same time, which holds for all workers, from no limit."""

import django.core.validators
from django.db import migrations, models

# What everybody had is what nobody chose.
CLEAR = "UPDATE webhooks_webhook SET concurrency = NULL WHERE concurrency = 16"
FILL = "UPDATE webhooks_webhook SET concurrency = 16 WHERE concurrency IS NULL"


class Migration(migrations.Migration):
    dependencies = [
        ("webhooks", "0010_kept_groups"),
    ]

    operations = [
        migrations.AlterField(
            model_name="webhook",
            name="concurrency",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="At most so many requests under way, from all workers together: 1 to 64."
                " Empty: up to 16 from each worker.",
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(64),
                ],
                verbose_name="at the same time",
            ),
        ),
        migrations.RunSQL(CLEAR, FILL),
    ]
