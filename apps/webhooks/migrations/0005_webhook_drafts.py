"""Drafts of the wizard, which only the person who made one sees; and more methods."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import apps.common.fields
import apps.common.ids
from apps.common.row_security import REACHABLE, EnableRowSecurity

# The person behind the request; a program has none and sees the drafts of its account.
OWN = f"account_id = {REACHABLE} AND (hookline_user() IS NULL OR user_id = hookline_user())"


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_row_security"),
        ("webhooks", "0004_form_and_query_templates"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="webhook",
            name="method",
            field=models.CharField(
                choices=[
                    ("POST", "POST"),
                    ("PUT", "PUT"),
                    ("PATCH", "PATCH"),
                    ("GET", "GET"),
                    ("DELETE", "DELETE"),
                ],
                default="POST",
                max_length=8,
                verbose_name="HTTP method",
            ),
        ),
        migrations.CreateModel(
            name="WebhookDraft",
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
                ("answers", models.JSONField(default=dict)),
                ("headers", apps.common.fields.EncryptedTextField(blank=True)),
                ("secret", apps.common.fields.EncryptedTextField()),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                (
                    "location",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.location",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-updated_at"],
                "indexes": [models.Index(fields=["account", "user"], name="draft_of_person")],
            },
        ),
        EnableRowSecurity(
            "WebhookDraft", references={"location_id": "accounts_location"}, using=OWN
        ),
    ]
