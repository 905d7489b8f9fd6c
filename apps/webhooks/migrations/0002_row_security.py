"""Put the tables of this room behind the wall."""

from django.db import migrations

from apps.common.row_security import SHARED_FROM, EnableRowSecurity

# Templates that an agency shares are read, never written, by its client accounts.
SHARED_TEMPLATES = f"""
CREATE POLICY shared_by_agency ON webhooks_template FOR SELECT TO hookline_tenant
  USING (is_shared_with_clients AND account_id = {SHARED_FROM});
CREATE POLICY shared_by_agency ON webhooks_templateversion FOR SELECT TO hookline_tenant
  USING (account_id = {SHARED_FROM} AND EXISTS (
    SELECT FROM webhooks_template template
    WHERE template.id = template_id AND template.is_shared_with_clients));
"""


class Migration(migrations.Migration):
    dependencies = [
        ("webhooks", "0001_initial"),
        ("accounts", "0002_row_security"),
        ("common", "0001_tenant_role"),
    ]
    operations = [
        EnableRowSecurity("Template", references={"group_id": "accounts_group"}),
        # A version is immutable.
        EnableRowSecurity(
            "TemplateVersion",
            references={"template_id": "webhooks_template"},
            privileges="SELECT, INSERT, DELETE",
        ),
        migrations.RunSQL(
            SHARED_TEMPLATES,
            "DROP POLICY shared_by_agency ON webhooks_template;"
            " DROP POLICY shared_by_agency ON webhooks_templateversion;",
        ),
        EnableRowSecurity("Webhook", references={"location_id": "accounts_location"}),
        EnableRowSecurity("WebhookHeader", references={"webhook_id": "webhooks_webhook"}),
    ]
