"""For which calls attachments send, and what they wait for."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0006_imports"),
    ]

    operations = [
        migrations.AddField(
            model_name="attachment",
            name="conditions",
            field=models.JSONField(blank=True, default=dict, editable=False),
        ),
        migrations.AddField(
            model_name="attachment",
            name="once_per_caller_h",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Empty: every call. Callers that withhold their number are not counted.",
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(8760),
                ],
                verbose_name="at most one for each caller in, hours",
            ),
        ),
        migrations.AddField(
            model_name="attachment",
            name="only_changes",
            field=models.BooleanField(
                default=False,
                help_text="Updates: fields that are as the webhook was last told are left out, and where none has changed nothing is sent. Fixed values and the call's id are always sent.",
                verbose_name="only what changed",
            ),
        ),
        migrations.AddField(
            model_name="attachment",
            name="wait_for",
            field=models.CharField(
                blank=True,
                choices=[("recording", "The recording"), ("transcript", "The transcript")],
                help_text="What a call is to have before it is sent; what has it already goes out at once.",
                max_length=10,
                verbose_name="wait for",
            ),
        ),
        migrations.AddField(
            model_name="attachment",
            name="wait_min",
            field=models.PositiveSmallIntegerField(
                blank=True,
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(1440),
                ],
                verbose_name="for at most, minutes",
            ),
        ),
        migrations.AddField(
            model_name="attachment",
            name="wait_skips",
            field=models.BooleanField(
                default=False,
                help_text="Off: without it, the call is sent all the same when the time is over.",
                verbose_name="then skip it",
            ),
        ),
    ]
