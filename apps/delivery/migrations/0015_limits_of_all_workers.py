"""Let a limit of requests at the same time hold for all workers: one of them holds the webhook."""

from django.db import migrations, models

# It follows the webhook into its row of health, where the claim looks.
TRIGGER = """
CREATE FUNCTION hookline_concurrency_health() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE delivery_endpointhealth SET concurrency = NEW.concurrency WHERE webhook_id = NEW.id;
  RETURN NULL;
END $$;
-- Triggers of one event run in the order of their names: the row is there by now.
CREATE TRIGGER webhook_limits_new_health AFTER INSERT ON webhooks_webhook
  FOR EACH ROW WHEN (NEW.concurrency IS NOT NULL)
  EXECUTE FUNCTION hookline_concurrency_health();
CREATE TRIGGER webhook_limits_health AFTER UPDATE ON webhooks_webhook
  FOR EACH ROW WHEN (NEW.concurrency IS DISTINCT FROM OLD.concurrency)
  EXECUTE FUNCTION hookline_concurrency_health();

UPDATE delivery_endpointhealth health SET concurrency = webhook.concurrency
FROM webhooks_webhook webhook
WHERE webhook.id = health.webhook_id AND webhook.concurrency IS NOT NULL;
"""
DROP = """
DROP TRIGGER webhook_limits_health ON webhooks_webhook;
DROP TRIGGER webhook_limits_new_health ON webhooks_webhook;
DROP FUNCTION hookline_concurrency_health();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0014_waits_and_turns"),
        ("webhooks", "0011_limits_of_all_workers"),
    ]

    operations = [
        migrations.AddField(
            model_name="endpointhealth",
            name="concurrency",
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="endpointhealth",
            name="holder",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="endpointhealth",
            name="held_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.RemoveIndex(model_name="endpointhealth", name="health_gated"),
        migrations.AddIndex(
            model_name="endpointhealth",
            index=models.Index(
                condition=models.Q(
                    ("probe_at__isnull", False),
                    ("rate_per_s__isnull", False),
                    ("concurrency__isnull", False),
                    _connector="OR",
                ),
                fields=["webhook"],
                name="health_gated",
            ),
        ),
        migrations.RunSQL(TRIGGER, DROP),
    ]
