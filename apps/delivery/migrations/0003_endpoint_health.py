"""Keep the health of each endpoint in a row of its own, which the database makes."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import apps.common.ids
from apps.common.row_security import EnableRowSecurity

# A tenant who makes or switches on a webhook may not write here: the functions run as the owner.
TRIGGERS = """
CREATE FUNCTION hookline_begin_health() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO delivery_endpointhealth (id, created_at, account_id, webhook_id)
  VALUES (gen_random_uuid(), now(), NEW.account_id, NEW.id);
  RETURN NULL;
END $$;
CREATE TRIGGER webhook_begins_health AFTER INSERT ON webhooks_webhook
  FOR EACH ROW EXECUTE FUNCTION hookline_begin_health();

-- On again: what was known is old, and what waits goes out at once.
CREATE FUNCTION hookline_renew_health() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE delivery_endpointhealth
  SET failing_since = NULL, failures_in_row = 0, window_started_at = NULL, window_tries = 0,
    window_failures = 0, opened_at = NULL, probe_at = NULL, probe_wait_s = 0,
    is_probing = false, release_due = true
  WHERE webhook_id = NEW.id;
  RETURN NULL;
END $$;
CREATE TRIGGER webhook_renews_health AFTER UPDATE OF is_active ON webhooks_webhook
  FOR EACH ROW WHEN (NEW.is_active AND NOT OLD.is_active)
  EXECUTE FUNCTION hookline_renew_health();

INSERT INTO delivery_endpointhealth (id, created_at, account_id, webhook_id)
SELECT gen_random_uuid(), now(), account_id, id FROM webhooks_webhook;
"""
DROP = """
DROP TRIGGER webhook_renews_health ON webhooks_webhook;
DROP TRIGGER webhook_begins_health ON webhooks_webhook;
DROP FUNCTION hookline_renew_health();
DROP FUNCTION hookline_begin_health();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0002_row_security"),
        ("webhooks", "0004_form_and_query_templates"),
    ]

    operations = [
        migrations.CreateModel(
            name="EndpointHealth",
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
                ("last_success_at", models.DateTimeField(null=True, verbose_name="last success")),
                ("last_failure_at", models.DateTimeField(null=True, verbose_name="last failure")),
                ("failing_since", models.DateTimeField(null=True)),
                (
                    "failures_in_row",
                    models.PositiveIntegerField(db_default=0, verbose_name="failures in a row"),
                ),
                ("window_started_at", models.DateTimeField(null=True)),
                ("window_tries", models.PositiveIntegerField(db_default=0)),
                ("window_failures", models.PositiveIntegerField(db_default=0)),
                ("opened_at", models.DateTimeField(null=True)),
                ("probe_at", models.DateTimeField(null=True, verbose_name="next probe")),
                ("probe_wait_s", models.PositiveSmallIntegerField(db_default=0)),
                ("is_probing", models.BooleanField(db_default=False)),
                ("released_at", models.DateTimeField(null=True)),
                ("release_due", models.BooleanField(db_default=False)),
                ("rate_per_s", models.FloatField(null=True)),
                ("tokens", models.FloatField(db_default=0.0)),
                ("tokens_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                (
                    "webhook",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="health",
                        to="webhooks.webhook",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "endpoint health",
                "indexes": [
                    models.Index(
                        condition=models.Q(
                            ("probe_at__isnull", False),
                            ("rate_per_s__isnull", False),
                            _connector="OR",
                        ),
                        fields=["webhook"],
                        name="health_gated",
                    ),
                    models.Index(
                        condition=models.Q(("release_due", True)),
                        fields=["webhook"],
                        name="health_release",
                    ),
                ],
            },
        ),
        # Written by the engine alone.
        EnableRowSecurity("EndpointHealth", privileges="SELECT, DELETE"),
        migrations.RunSQL(TRIGGERS, DROP),
    ]
