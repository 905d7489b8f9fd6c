"""Let a webhook keep its template whatever becomes of the sharing; refuse templates of others."""

from django.db import migrations

from apps.common.row_security import CheckReferences

# Templates of accounts out of reach that are read all the same: those that agencies above share,
# and those that a webhook within reach uses, so that un-sharing never takes a webhook out of a
# query. It runs as the owner of the tables: a policy that reads a table whose own policy leads
# back is refused by PostgreSQL.
FUNCTION = """
CREATE FUNCTION hookline_lent_templates() RETURNS uuid[] LANGUAGE sql STABLE
  SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT array(
    SELECT id FROM webhooks_template
    WHERE is_shared_with_clients AND account_id = ANY (hookline_shared_from())
    UNION
    SELECT template.id FROM webhooks_webhook webhook
    JOIN webhooks_template template ON template.id = webhook.template_id
    WHERE webhook.account_id = ANY (hookline_reachable())
      AND template.account_id <> ALL (hookline_reachable()))
$$;
"""
LENT = "ANY ((SELECT hookline_lent_templates())::uuid[])"
POLICIES = f"""
DROP POLICY shared_by_agency ON webhooks_template;
DROP POLICY shared_by_agency ON webhooks_templateversion;
CREATE POLICY lent ON webhooks_template FOR SELECT TO hookline_tenant USING (id = {LENT});
CREATE POLICY lent ON webhooks_templateversion FOR SELECT TO hookline_tenant
  USING (template_id = {LENT});
"""
SHARED_FROM = "ANY ((SELECT hookline_shared_from())::uuid[])"
FORMER_POLICIES = f"""
DROP POLICY lent ON webhooks_template;
DROP POLICY lent ON webhooks_templateversion;
CREATE POLICY shared_by_agency ON webhooks_template FOR SELECT TO hookline_tenant
  USING (is_shared_with_clients AND account_id = {SHARED_FROM});
CREATE POLICY shared_by_agency ON webhooks_templateversion FOR SELECT TO hookline_tenant
  USING (account_id = {SHARED_FROM} AND EXISTS (
    SELECT FROM webhooks_template template
    WHERE template.id = template_id AND template.is_shared_with_clients));
"""
# The account's own, one of its agency (unshared ones are out of sight), or one that is lent.
MAY_USE = f"""EXISTS (
  SELECT FROM webhooks_template template
  WHERE template.id = webhooks_webhook.template_id AND (
    template.account_id = webhooks_webhook.account_id
    OR template.account_id = (SELECT parent_id FROM accounts_account account
                              WHERE account.id = webhooks_webhook.account_id)
    OR template.id = {LENT}))"""


class Migration(migrations.Migration):
    dependencies = [
        ("webhooks", "0007_signatures_and_rotation"),
        ("accounts", "0002_row_security"),
    ]
    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION hookline_lent_templates()"),
        migrations.RunSQL(POLICIES, FORMER_POLICIES),
        CheckReferences("Template", {"current_version_id": "webhooks_templateversion"}),
        CheckReferences("Webhook", check=MAY_USE),
    ]
