"""Refuse deliveries to another account's webhook, of its calls or with its templates."""

from django.db import migrations

from apps.common.row_security import CheckReferences

# What a resend may repeat. It runs as the owner of the tables: PostgreSQL refuses a policy that
# reads its own table, and the version of the original may have been taken back since.
FUNCTION = """
CREATE FUNCTION hookline_resends(original uuid, account uuid, webhook uuid, version uuid)
  RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (
    SELECT FROM delivery_delivery delivery
    WHERE delivery.id = original AND delivery.account_id = account
      AND delivery.webhook_id = webhook AND delivery.template_version_id = version)
$$;
"""
MAY_SEND = """CASE WHEN resent_from_id IS NULL THEN EXISTS (
    SELECT FROM webhooks_webhook webhook, webhooks_templateversion version
    WHERE webhook.id = webhook_id AND version.id = template_version_id
      AND webhook.account_id = delivery_delivery.account_id
      AND (version.account_id = webhook.account_id OR version.template_id = webhook.template_id))
  ELSE hookline_resends(resent_from_id, account_id, webhook_id, template_version_id) END"""


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0007_alerts"),
        ("calls", "0003_check_references"),
        ("webhooks", "0008_lent_templates"),
    ]
    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION hookline_resends(uuid, uuid, uuid, uuid)"),
        CheckReferences(
            "Delivery",
            {"call_id": "calls_call", "event_id": "calls_callevent"},
            check=MAY_SEND,
        ),
    ]
