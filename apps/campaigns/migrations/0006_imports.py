"""Imports of CSV files."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import apps.common.ids
from apps.common.row_security import EnableRowSecurity


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_audit_log"),
        ("campaigns", "0005_own_templates"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Import",
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
                    "kind",
                    models.CharField(
                        choices=[
                            ("locations", "Locations"),
                            ("campaigns", "Campaigns"),
                            ("numbers", "Tracking numbers"),
                        ],
                        max_length=10,
                        verbose_name="what",
                    ),
                ),
                ("file_name", models.CharField(max_length=200, verbose_name="file")),
                ("content", models.BinaryField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("checking", "Being checked"),
                            ("ready", "Ready"),
                            ("refused", "Has faults"),
                            ("writing", "Being written"),
                            ("done", "Done"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="checking",
                        max_length=10,
                    ),
                ),
                ("origin", models.JSONField(default=dict)),
                ("row_total", models.PositiveIntegerField(default=0, verbose_name="rows")),
                ("checked_count", models.PositiveIntegerField(default=0)),
                ("created_count", models.PositiveIntegerField(default=0, verbose_name="new")),
                ("changed_count", models.PositiveIntegerField(default=0, verbose_name="changed")),
                (
                    "unchanged_count",
                    models.PositiveIntegerField(default=0, verbose_name="unchanged"),
                ),
                ("fault_count", models.PositiveIntegerField(default=0, verbose_name="faults")),
                ("faults", models.JSONField(default=list)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                (
                    "started_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["checking", "writing"])),
                        fields=["created_at"],
                        name="import_at_work",
                    ),
                ],
            },
        ),
        EnableRowSecurity("Import", privileges="SELECT, INSERT, UPDATE"),
    ]
