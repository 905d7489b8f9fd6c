"""Let a webhook have its own schedule, text of success, rate and concurrency."""

import django.contrib.postgres.fields
import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("webhooks", "0005_webhook_drafts"),
    ]

    operations = [
        migrations.AddField(
            model_name="webhook",
            name="body_contains",
            field=models.CharField(
                blank=True,
                help_text="An answer counts as delivered only if its body has this text in it.",
                max_length=200,
                verbose_name="text in the answer",
            ),
        ),
        migrations.AddField(
            model_name="webhook",
            name="concurrency",
            field=models.PositiveSmallIntegerField(
                default=16,
                help_text="Requests that one worker has under way at the same time: 1 to 64.",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(64),
                ],
                verbose_name="at the same time",
            ),
        ),
        migrations.AddField(
            model_name="webhook",
            name="rate_limit",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Empty: no limit. What is over it waits, and no try is spent.",
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(100000),
                ],
                verbose_name="at most so many requests",
            ),
        ),
        migrations.AddField(
            model_name="webhook",
            name="rate_unit",
            field=models.CharField(
                choices=[("second", "second"), ("minute", "minute")],
                default="second",
                max_length=6,
                verbose_name="in each",
            ),
        ),
        migrations.AddField(
            model_name="webhook",
            name="retry_waits_s",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.PositiveIntegerField(),
                blank=True,
                editable=False,
                null=True,
                size=30,
            ),
        ),
    ]
