"""What deliveries wait for, what of a call they send, and the turns of callers."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import apps.common.ids
from apps.common.row_security import EnableRowSecurity

SAME_ACCOUNT = """
CREATE POLICY content_of_same_account ON delivery_delivery AS RESTRICTIVE TO hookline_tenant
USING (TRUE) WITH CHECK (content_event_id IS NULL OR EXISTS (
  SELECT FROM calls_callevent event WHERE event.id = content_event_id
    AND event.account_id = delivery_delivery.account_id))
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_business_hours"),
        ("calls", "0005_legs"),
        ("delivery", "0013_settings_unreadable"),
        ("webhooks", "0010_kept_groups"),
    ]

    operations = [
        migrations.CreateModel(
            name="CallerTurn",
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
                ("attachment_key", models.UUIDField()),
                ("caller", models.CharField(max_length=32)),
                ("taken_at", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("delivery_key", models.UUIDField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["delivery_key"], name="turn_of_delivery"),
                    models.Index(fields=["until"], name="turn_until"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("attachment_key", "caller"),
                        name="turn_once_an_attachment_and_caller",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="delivery",
            name="changed_paths",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(), null=True, size=None
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="content_event",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="calls.callevent",
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="wait_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="delivery",
            name="waits_for",
            field=models.CharField(
                blank=True,
                choices=[("recording", "The recording"), ("transcript", "The transcript")],
                db_default="",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="state",
            field=models.CharField(
                choices=[
                    ("waiting", "Waiting for an earlier one"),
                    ("pending", "Pending"),
                    ("succeeded", "Succeeded"),
                    ("failed", "Failed"),
                    ("expired", "Expired"),
                    ("skipped", "Skipped"),
                ],
                default="pending",
                max_length=10,
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(
                    ("state__in", ["pending", "waiting"]), ("wait_until__isnull", False)
                ),
                fields=["call"],
                name="delivery_waits_for_call",
            ),
        ),
        migrations.AddField(
            model_name="callerturn",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.account"
            ),
        ),
        EnableRowSecurity("CallerTurn"),
        migrations.RunSQL(SAME_ACCOUNT, "DROP POLICY content_of_same_account ON delivery_delivery"),
    ]
