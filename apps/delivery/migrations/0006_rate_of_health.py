"""Let the limit of a webhook follow it into its row of health, where the claim looks."""

from django.db import migrations

TRIGGER = """
CREATE FUNCTION hookline_rate_health() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE delivery_endpointhealth
  SET rate_per_s = NEW.rate_limit / CASE NEW.rate_unit WHEN 'minute' THEN 60.0 ELSE 1.0 END,
    tokens_at = NULL, tokens = 0
  WHERE webhook_id = NEW.id;
  RETURN NULL;
END $$;
-- Triggers of one event run in the order of their names: the row is there by now.
CREATE TRIGGER webhook_rates_new_health AFTER INSERT ON webhooks_webhook
  FOR EACH ROW WHEN (NEW.rate_limit IS NOT NULL) EXECUTE FUNCTION hookline_rate_health();
CREATE TRIGGER webhook_rates_health AFTER UPDATE ON webhooks_webhook
  FOR EACH ROW WHEN (NEW.rate_limit IS DISTINCT FROM OLD.rate_limit
    OR NEW.rate_unit IS DISTINCT FROM OLD.rate_unit)
  EXECUTE FUNCTION hookline_rate_health();
"""
DROP = """
DROP TRIGGER webhook_rates_health ON webhooks_webhook;
DROP TRIGGER webhook_rates_new_health ON webhooks_webhook;
DROP FUNCTION hookline_rate_health();
"""


class Migration(migrations.Migration):
    dependencies = [("delivery", "0005_expiry"), ("webhooks", "0006_limits_and_schedules")]
    operations = [migrations.RunSQL(TRIGGER, DROP)]
