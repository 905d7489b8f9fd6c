"""Let each account say for how long it keeps its audit log, which takes the place of Django's."""

import django.core.validators
from django.db import migrations, models

CLOSE = """
DROP POLICY own_entries ON django_admin_log;
REVOKE ALL ON django_admin_log FROM hookline_tenant;
"""
OPEN = """
GRANT SELECT, INSERT ON django_admin_log TO hookline_tenant;
CREATE POLICY own_entries ON django_admin_log TO hookline_tenant
  USING (user_id = (SELECT hookline_user()));
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_reverse_lookup")]

    operations = [
        migrations.AddField(
            model_name="account",
            name="keep_audit_days",
            field=models.PositiveSmallIntegerField(
                db_default=365,
                default=365,
                help_text="Who did what, and from where: 30 days to 10 years.",
                validators=[
                    django.core.validators.MinValueValidator(30),
                    django.core.validators.MaxValueValidator(3650),
                ],
                verbose_name="keep the audit log for, in days",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(("keep_audit_days__range", (30, 3650))),
                name="account_keeps_its_audit_log",
            ),
        ),
        migrations.RunSQL(CLOSE, OPEN),
    ]
