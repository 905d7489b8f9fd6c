"""Keep what people are told about their endpoints."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import apps.common.ids
from apps.common.row_security import EnableRowSecurity


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_row_security"),
        ("delivery", "0006_rate_of_health"),
        ("webhooks", "0007_signatures_and_rotation"),
    ]

    operations = [
        migrations.CreateModel(
            name="Alert",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.common.ids.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "rung",
                    models.CharField(
                        choices=[
                            ("failing", "Failing"),
                            ("half", "Half"),
                            ("seventy", "Seventy"),
                            ("ninety", "Ninety"),
                            ("disabled", "Disabled"),
                            ("recovered", "Recovered"),
                        ],
                        max_length=10,
                        verbose_name="about",
                    ),
                ),
                ("failing_since", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                (
                    "webhook",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="alerts",
                        to="webhooks.webhook",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("sent_at", None)),
                        fields=["created_at"],
                        name="alert_unsent",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("webhook", "failing_since", "rung"), name="alert_once_a_change"
                    )
                ],
            },
        ),
        # Written by the sweep alone.
        EnableRowSecurity("Alert", privileges="SELECT, DELETE"),
    ]
