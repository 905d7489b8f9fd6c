"""Leave people only their name to change, their own entries in the log, and agencies they know."""

from django.db import migrations

from apps.common.row_security import REACHABLE, SHARED_FROM, CheckReferences

OWN_NAME = """
REVOKE UPDATE ON accounts_user FROM hookline_tenant;
GRANT UPDATE (full_name) ON accounts_user TO hookline_tenant;
"""
OWN_ENTRIES = """
ALTER TABLE django_admin_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_entries ON django_admin_log TO hookline_tenant
  USING (user_id = (SELECT hookline_user()));
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_row_security")]
    operations = [
        migrations.RunSQL(
            OWN_NAME,
            "REVOKE UPDATE (full_name) ON accounts_user FROM hookline_tenant;"
            " GRANT UPDATE ON accounts_user TO hookline_tenant;",
        ),
        migrations.RunSQL(
            OWN_ENTRIES,
            "DROP POLICY own_entries ON django_admin_log;"
            " ALTER TABLE django_admin_log DISABLE ROW LEVEL SECURITY;",
        ),
        CheckReferences(
            "Account",
            check=f"(parent_id IS NULL OR parent_id = {REACHABLE} OR parent_id = {SHARED_FROM})",
        ),
    ]
