"""Count the changes of a webhook and its headers, whoever makes them."""

from django.db import migrations, models

TRIGGERS = """
CREATE FUNCTION hookline_next_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.revision := OLD.revision + 1;
  RETURN NEW;
END $$;
CREATE TRIGGER webhook_revision BEFORE UPDATE ON webhooks_webhook
  FOR EACH ROW EXECUTE FUNCTION hookline_next_revision();

CREATE FUNCTION hookline_touch_webhook() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE webhooks_webhook SET revision = revision
  WHERE id IN (coalesce(NEW.webhook_id, OLD.webhook_id), coalesce(OLD.webhook_id, NEW.webhook_id));
  RETURN NULL;
END $$;
CREATE TRIGGER webhook_header_revision AFTER INSERT OR UPDATE OR DELETE ON webhooks_webhookheader
  FOR EACH ROW EXECUTE FUNCTION hookline_touch_webhook();
"""
DROP = """
DROP TRIGGER webhook_header_revision ON webhooks_webhookheader;
DROP TRIGGER webhook_revision ON webhooks_webhook;
DROP FUNCTION hookline_touch_webhook();
DROP FUNCTION hookline_next_revision();
"""


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0002_row_security")]
    operations = [
        migrations.AddField(
            model_name="webhook",
            name="revision",
            field=models.BigIntegerField(default=1, editable=False),
        ),
        migrations.RunSQL(TRIGGERS, DROP),
    ]
