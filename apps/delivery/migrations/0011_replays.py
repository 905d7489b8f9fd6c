"""Keep replays, and which deliveries came of them."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import apps.common.ids
from apps.common.row_security import EnableRowSecurity

SAME_ACCOUNT = """
CREATE POLICY replay_of_same_account ON delivery_delivery AS RESTRICTIVE TO hookline_tenant
  USING (TRUE) WITH CHECK (replay_id IS NULL OR EXISTS (
    SELECT FROM delivery_replay target
    WHERE target.id = delivery_delivery.replay_id
      AND target.account_id = delivery_delivery.account_id))
"""
# What a resend may send: any version of the template that the original was made with.
RESENDS = """
CREATE OR REPLACE FUNCTION hookline_resends(
  original uuid, account uuid, webhook uuid, version uuid
) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (
    SELECT FROM delivery_delivery delivery
    JOIN webhooks_templateversion before ON before.id = delivery.template_version_id
    JOIN webhooks_templateversion wanted ON wanted.template_id = before.template_id
    WHERE delivery.id = original AND delivery.account_id = account
      AND delivery.webhook_id = webhook AND wanted.id = version)
$$;
"""
RESENDS_BEFORE = """
CREATE OR REPLACE FUNCTION hookline_resends(
  original uuid, account uuid, webhook uuid, version uuid
) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (
    SELECT FROM delivery_delivery delivery
    WHERE delivery.id = original AND delivery.account_id = account
      AND delivery.webhook_id = webhook AND delivery.template_version_id = version)
$$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_retention"),
        ("calls", "0004_keep_places_of_calls"),
        ("delivery", "0010_bodies_removed_at"),
        ("webhooks", "0008_lent_templates"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Replay",
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
                ("since", models.DateTimeField(verbose_name="planned from")),
                ("until", models.DateTimeField(verbose_name="planned before")),
                (
                    "webhook_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), default=list, size=None
                    ),
                ),
                (
                    "states",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=10), size=None
                    ),
                ),
                (
                    "timings",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=8), default=list, size=None
                    ),
                ),
                ("with_current_version", models.BooleanField(default=False)),
                (
                    "rate_per_s",
                    models.PositiveSmallIntegerField(
                        default=10,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(1000),
                        ],
                        verbose_name="a second",
                    ),
                ),
                ("total", models.PositiveIntegerField()),
                ("planned_count", models.PositiveIntegerField(default=0, verbose_name="planned")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("done", "Done"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="running",
                        max_length=10,
                    ),
                ),
                ("walked_at", models.DateTimeField(null=True)),
                ("walked_key", models.UUIDField(null=True)),
                ("stepped_at", models.DateTimeField(default=django.utils.timezone.now)),
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
                        condition=models.Q(("finished_at", None)),
                        fields=["created_at"],
                        name="replay_unfinished",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("until__gt", models.F("since"))),
                        name="replay_of_a_window_of_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("rate_per_s__gte", 1)), name="replay_goes_on"
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="delivery",
            name="replay",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="deliveries",
                to="delivery.replay",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("replay__isnull", False)),
                fields=["replay"],
                name="delivery_of_replay",
            ),
        ),
        # The sweep alone plans what belongs to one, as the owner of the tables.
        EnableRowSecurity("Replay", privileges="SELECT, INSERT, UPDATE"),
        migrations.RunSQL(SAME_ACCOUNT, "DROP POLICY replay_of_same_account ON delivery_delivery"),
        migrations.RunSQL(RESENDS, RESENDS_BEFORE),
    ]
