"""Put a release off that comes too soon after another, instead of leaving it out."""

from django.db import migrations, models

# On again: what was known is old, and what waits goes out at once.
_RENEW = """
CREATE OR REPLACE FUNCTION hookline_renew_health() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE delivery_endpointhealth
  SET failing_since = NULL, failures_in_row = 0, slices = '[]', opened_at = NULL, probe_at = NULL,
    probe_wait_s = 0, is_probing = false, {release}
  WHERE webhook_id = NEW.id;
  RETURN NULL;
END $$
"""
RENEW = _RENEW.replace("{release}", "release_at = now(), released_at = NULL")
RENEW_BEFORE = _RENEW.replace("{release}", "release_due = true")
KEEP = "UPDATE delivery_endpointhealth SET release_at = now() WHERE release_due"
KEEP_BEFORE = "UPDATE delivery_endpointhealth SET release_due = true WHERE release_at IS NOT NULL"


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0015_limits_of_all_workers"),
    ]

    operations = [
        migrations.AddField(
            model_name="endpointhealth",
            name="release_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.RunSQL(KEEP, KEEP_BEFORE),
        migrations.RemoveIndex(model_name="endpointhealth", name="health_release"),
        migrations.RemoveField(model_name="endpointhealth", name="release_due"),
        migrations.AddIndex(
            model_name="endpointhealth",
            index=models.Index(
                condition=models.Q(("release_at__isnull", False)),
                fields=["release_at"],
                name="health_release",
            ),
        ),
        migrations.RunSQL(RENEW, RENEW_BEFORE),
    ]
