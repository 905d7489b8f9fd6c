"""Let the window of the breaker slide."""

from django.db import migrations, models

# On again: what was known is old, and what waits goes out at once.
_RENEW = """
CREATE OR REPLACE FUNCTION hookline_renew_health() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE delivery_endpointhealth
  SET failing_since = NULL, failures_in_row = 0, {window}, opened_at = NULL, probe_at = NULL,
    probe_wait_s = 0, is_probing = false, release_due = true
  WHERE webhook_id = NEW.id;
  RETURN NULL;
END $$
"""
RENEW = _RENEW.replace("{window}", "slices = '[]'")
RENEW_BEFORE = _RENEW.replace(
    "{window}", "window_started_at = NULL, window_tries = 0, window_failures = 0"
)


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0011_replays"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="endpointhealth",
            name="window_failures",
        ),
        migrations.RemoveField(
            model_name="endpointhealth",
            name="window_started_at",
        ),
        migrations.RemoveField(
            model_name="endpointhealth",
            name="window_tries",
        ),
        migrations.AddField(
            model_name="endpointhealth",
            name="slices",
            field=models.JSONField(db_default=models.Value([], models.JSONField())),
        ),
        migrations.RunSQL(RENEW, RENEW_BEFORE),
    ]
