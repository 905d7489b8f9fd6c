"""The audit log, which the restricted role reads and writes, and never changes."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import apps.common.ids
from apps.common.audit_triggers import AUDITED_VALUE, CREATE_AUDIT, DROP_AUDIT
from apps.common.row_security import EnableRowSecurity


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_reverse_lookup"), ("common", "0002_stored_answers")]
    operations = [
        migrations.CreateModel(
            name="AuditEntry",
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
                    "action",
                    models.CharField(
                        choices=[
                            ("created", "Created"),
                            ("changed", "Changed"),
                            ("deleted", "Deleted"),
                            ("enabled", "Switched on"),
                            ("disabled", "Switched off"),
                            ("revoked", "Revoked"),
                            ("secret_replaced", "Secret replaced"),
                            ("secret_shown", "Secret shown"),
                            ("invited", "Invited again"),
                            ("logged_in", "Logged in"),
                            ("login_failed", "Log-in failed"),
                            ("password_changed", "Password changed"),
                            ("resent", "Sent again"),
                            ("imported", "Imported"),
                            ("exported", "Exported"),
                            ("applied", "Applied to locations"),
                            ("noted", "Noted"),
                        ],
                        max_length=20,
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=300)),
                ("object_type", models.CharField(blank=True, max_length=60, verbose_name="type")),
                ("object_id", models.UUIDField(null=True)),
                ("object_label", models.CharField(blank=True, max_length=200, verbose_name="what")),
                ("parent_id", models.UUIDField(null=True)),
                ("changes", models.JSONField(default=dict)),
                (
                    "actor_kind",
                    models.CharField(
                        choices=[
                            ("user", "user"),
                            ("key", "key"),
                            ("visitor", "visitor"),
                            ("system", "system"),
                        ],
                        max_length=8,
                        verbose_name="by a",
                    ),
                ),
                ("actor_id", models.UUIDField(null=True)),
                ("actor_label", models.CharField(max_length=200, verbose_name="who")),
                ("via", models.CharField(blank=True, max_length=10)),
                ("ip", models.GenericIPAddressField(null=True, verbose_name="IP address")),
                (
                    "user_agent",
                    models.CharField(blank=True, max_length=300, verbose_name="program"),
                ),
                ("request_id", models.CharField(blank=True, max_length=64, verbose_name="request")),
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
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit log",
                "ordering": ["-created_at", "-id"],
                "indexes": [
                    models.Index(fields=["account", "-created_at", "-id"], name="audit_of_account"),
                    models.Index(fields=["object_id", "-created_at"], name="audit_of_row"),
                    models.Index(
                        condition=models.Q(("parent_id__isnull", False)),
                        fields=["parent_id", "-created_at"],
                        name="audit_of_parent",
                    ),
                    models.Index(
                        fields=["account", "actor_id", "-created_at"], name="audit_of_actor"
                    ),
                ],
            },
        ),
        EnableRowSecurity("AuditEntry", privileges="SELECT, INSERT"),
        migrations.RunSQL(AUDITED_VALUE + CREATE_AUDIT, DROP_AUDIT),
    ]
