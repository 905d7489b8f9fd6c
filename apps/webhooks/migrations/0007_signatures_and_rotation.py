"""Let a webhook choose its signature, and its old secrets sign along for a while."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import apps.common.fields
import apps.common.ids
from apps.common.row_security import EnableRowSecurity

# Workers must know at once of a secret that was retired, or signs no more.
TOUCH = """
CREATE TRIGGER webhook_secret_revision AFTER INSERT OR UPDATE OR DELETE ON webhooks_retiredsecret
  FOR EACH ROW EXECUTE FUNCTION hookline_touch_webhook();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_row_security"),
        ("webhooks", "0006_limits_and_schedules"),
    ]

    operations = [
        migrations.AddField(
            model_name="webhook",
            name="key_id",
            field=models.CharField(blank=True, max_length=128, verbose_name="key id"),
        ),
        migrations.AddField(
            model_name="webhook",
            name="key_id_header",
            field=models.CharField(
                blank=True,
                help_text="Empty: none is sent.",
                max_length=128,
                verbose_name="header of the key id",
            ),
        ),
        migrations.AddField(
            model_name="webhook",
            name="signature",
            field=models.CharField(
                choices=[
                    ("standard", "Standard Webhooks"),
                    ("hex", "sha256= in a header"),
                    ("none", "Not at all"),
                ],
                default="standard",
                help_text="Choose sha256= only for receivers that know nothing else.",
                max_length=8,
                verbose_name="signed by",
            ),
        ),
        migrations.AddField(
            model_name="webhook",
            name="signature_header",
            field=models.CharField(
                blank=True,
                help_text="As X-Hub-Signature-256.",
                max_length=128,
                verbose_name="header of sha256=",
            ),
        ),
        migrations.CreateModel(
            name="RetiredSecret",
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
                ("secret", apps.common.fields.EncryptedTextField()),
                ("signs_until", models.DateTimeField()),
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
                        related_name="retired_secrets",
                        to="webhooks.webhook",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
            },
        ),
        EnableRowSecurity("RetiredSecret", references={"webhook_id": "webhooks_webhook"}),
        migrations.RunSQL(TOUCH, "DROP TRIGGER webhook_secret_revision ON webhooks_retiredsecret"),
    ]
