"""Put the tables of this room behind the wall."""

from django.db import migrations

from apps.common.row_security import REACHABLE, SHARED_FROM, EnableRowSecurity

# Oneself, and whoever shares a reachable account; nobody may change another person.
VISIBLE_USERS = f"""
CREATE POLICY co_members ON accounts_user FOR SELECT TO hookline_tenant
  USING (EXISTS (SELECT FROM accounts_membership membership
                 WHERE membership.user_id = accounts_user.id
                   AND membership.account_id = {REACHABLE}));
CREATE POLICY agency_above ON accounts_account FOR SELECT TO hookline_tenant
  USING (id = {SHARED_FROM});
GRANT SELECT ON django_content_type TO hookline_tenant;
GRANT SELECT, INSERT ON django_admin_log TO hookline_tenant;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("common", "0001_tenant_role"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [
        EnableRowSecurity(
            "Account",
            using=f"(id = {REACHABLE} OR parent_id = {REACHABLE})",
            privileges="SELECT, INSERT, UPDATE",
        ),
        EnableRowSecurity("Membership"),
        EnableRowSecurity("Group"),
        EnableRowSecurity("Location", references={"group_id": "accounts_group"}),
        EnableRowSecurity("ApiKey"),
        EnableRowSecurity(
            "User", using="id = (SELECT hookline_user())", privileges="SELECT, UPDATE"
        ),
        migrations.RunSQL(
            VISIBLE_USERS,
            "DROP POLICY co_members ON accounts_user; DROP POLICY agency_above ON accounts_account;"
            " REVOKE ALL ON django_content_type, django_admin_log FROM hookline_tenant;",
        ),
    ]
