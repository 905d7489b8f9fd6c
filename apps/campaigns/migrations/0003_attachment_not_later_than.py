"""Let an attachment say how late is too late."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0002_row_security"),
    ]

    operations = [
        migrations.AddField(
            model_name="attachment",
            name="not_later_than_min",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="What could not be sent so many minutes after the event came in expires. Empty: it is sent whenever that is possible.",
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(11520),
                ],
                verbose_name="not later than, minutes",
            ),
        ),
    ]
