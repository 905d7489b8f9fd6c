"""Write what people change of IVRs to the audit log."""

from django.db import migrations

from apps.common.audit_triggers import Audited

_IVR = "SELECT number || ' ' || name FROM ivr_ivr WHERE id = changed.ivr_id"


class Migration(migrations.Migration):
    dependencies = [
        ("ivr", "0002_row_security"),
        ("common", "0003_audit_log"),
    ]
    operations = [
        Audited("ivr.Ivr", label="changed.number || ' ' || changed.name"),
        Audited(
            "ivr.IvrQuestion",
            label=f"({_IVR}) || ', question ' || changed.number",
            parent="ivr_id",
        ),
        Audited("ivr.IvrHook", label=_IVR, parent="ivr_id", masks=["authorization"]),
        Audited("ivr.IvrParameter", parent="hook_id"),
    ]
