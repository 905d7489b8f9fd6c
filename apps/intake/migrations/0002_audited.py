"""Write what people change of sources to the audit log."""

from django.db import migrations

from apps.common.audit_triggers import Audited


class Migration(migrations.Migration):
    dependencies = [("common", "0003_audit_log"), ("intake", "0001_sources")]
    operations = [
        Audited(
            "intake.Source",
            masks=["url_key", "auth_token", "second_auth_token", "signature_secret"],
            leaves_out=["sample", "mapping", "last_refused_at"],
        )
    ]
