"""Phone platforms and their callbacks."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import apps.common.fields
import apps.common.ids
import apps.intake.models
from apps.common.row_security import EnableRowSecurity


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0005_active_says_what_it_does"),
        ("calls", "0005_legs"),
    ]

    operations = [
        migrations.CreateModel(
            name="Source",
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
                ("name", models.CharField(max_length=120)),
                (
                    "kind",
                    models.CharField(
                        choices=[("twilio", "Twilio"), ("generic", "Any other platform")],
                        max_length=10,
                        verbose_name="platform",
                    ),
                ),
                (
                    "url_key",
                    apps.common.fields.EncryptedTextField(
                        default=apps.intake.models.new_url_key, editable=False
                    ),
                ),
                (
                    "auth_token",
                    apps.common.fields.EncryptedTextField(
                        blank=True, editable=False, verbose_name="Auth Token"
                    ),
                ),
                (
                    "second_auth_token",
                    apps.common.fields.EncryptedTextField(
                        blank=True, editable=False, verbose_name="second Auth Token"
                    ),
                ),
                (
                    "format",
                    models.CharField(
                        choices=[
                            ("json", "JSON"),
                            ("xml", "XML"),
                            ("form", "Form body"),
                            ("query", "URL query"),
                        ],
                        default="json",
                        help_text="URL query: the platform calls by GET, with everything in the URL.",
                        max_length=8,
                        verbose_name="type of its callbacks",
                    ),
                ),
                (
                    "sample",
                    models.TextField(
                        blank=True,
                        help_text="Paste what the platform sends: its documentation or its log has it.",
                        verbose_name="sample of a callback",
                    ),
                ),
                ("mapping", models.JSONField(default=list, editable=False)),
                (
                    "signature_header",
                    models.CharField(
                        blank=True,
                        help_text="HMAC-SHA256 over the body, in hex or base64, with or without “sha256=”. Empty: whoever knows the URL may call it.",
                        max_length=128,
                        verbose_name="header of the signature",
                    ),
                ),
                (
                    "signature_secret",
                    apps.common.fields.EncryptedTextField(blank=True, editable=False),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Off: its URL answers as if it did not exist.",
                        verbose_name="active",
                    ),
                ),
                ("last_refused_at", models.DateTimeField(editable=False, null=True)),
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
                        blank=True,
                        help_text="For calls to numbers that are not set up as tracking numbers. Empty: those are refused.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="accounts.location",
                    ),
                ),
            ],
            options={
                "verbose_name": "phone platform",
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "name"), name="source_name_once_an_account"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Callback",
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
                ("digest", models.CharField(max_length=64)),
                ("about", models.CharField(blank=True, max_length=200)),
                (
                    "call_external_id",
                    models.CharField(blank=True, max_length=128, verbose_name="platform's call id"),
                ),
                ("leg_external_id", models.CharField(blank=True, max_length=128)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("taken", "Taken"),
                            ("repeated", "Known already"),
                            ("held", "Waits for its call"),
                            ("ignored", "Ignored"),
                            ("rejected", "Rejected"),
                        ],
                        max_length=10,
                    ),
                ),
                ("detail", models.CharField(blank=True, max_length=500)),
                ("body", models.TextField(blank=True)),
                ("event", models.JSONField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                (
                    "call",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="calls.call",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="callbacks",
                        to="intake.source",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "indexes": [
                    models.Index(
                        fields=["source", "-created_at"], name="callback_newest_of_source"
                    ),
                    models.Index(
                        condition=models.Q(("outcome", "held")),
                        fields=["source", "call_external_id"],
                        name="callback_held",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "digest"), name="callback_once_a_source"
                    ),
                ],
            },
        ),
        EnableRowSecurity("Source", references={"location_id": "accounts_location"}),
        EnableRowSecurity(
            "Callback", references={"source_id": "intake_source", "call_id": "calls_call"}
        ),
    ]
