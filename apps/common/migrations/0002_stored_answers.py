"""What POSTs with an Idempotency-Key were answered, behind the wall."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import apps.common.fields
import apps.common.ids
from apps.common.row_security import EnableRowSecurity


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_row_security"),
        ("common", "0001_tenant_role"),
    ]

    operations = [
        migrations.CreateModel(
            name="StoredAnswer",
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
                ("sender", models.UUIDField()),
                ("key", models.CharField(max_length=255)),
                ("digest", models.CharField(max_length=64)),
                ("status", models.PositiveSmallIntegerField()),
                ("headers", models.JSONField()),
                ("body", apps.common.fields.EncryptedTextField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["created_at"], name="answer_oldest")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("sender", "key"), name="answer_once_a_sender_and_key"
                    )
                ],
            },
        ),
        EnableRowSecurity("StoredAnswer", privileges="SELECT, INSERT, DELETE"),
    ]
