"""Mask the values in the queries of all addresses, also of those that were written down before."""

from django.db import migrations

from apps.common.audit_triggers import AUDITED_VALUE

_MASK_WHAT_IS_THERE = """
UPDATE common_auditentry SET changes = (
  SELECT jsonb_object_agg(name, CASE WHEN name ~ '(^|_)url$'
    THEN jsonb_build_array(
      hookline_audited(name, change -> 0, '{}'), hookline_audited(name, change -> 1, '{}'))
    ELSE change END)
  FROM jsonb_each(changes) AS of_row (name, change))
WHERE changes ?| ARRAY['url', 'target_url', 'fallback_url', 'redirect_url'];
"""


class Migration(migrations.Migration):
    dependencies = [("common", "0004_audited_tables")]

    operations = [
        migrations.RunSQL(AUDITED_VALUE, migrations.RunSQL.noop),
        migrations.RunSQL(_MASK_WHAT_IS_THERE, migrations.RunSQL.noop),
    ]
