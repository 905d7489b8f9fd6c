"""Put the tables of this room behind the wall."""

from django.db import migrations

from apps.common.row_security import EnableRowSecurity

IVR = {"ivr_id": "ivr_ivr"}


class Migration(migrations.Migration):
    dependencies = [
        ("ivr", "0001_initial"),
        ("accounts", "0002_row_security"),
        ("common", "0001_tenant_role"),
        ("webhooks", "0002_row_security"),
    ]
    operations = [
        EnableRowSecurity(
            "Ivr",
            references={
                "location_id": "accounts_location",
                "transcription_webhook_id": "webhooks_webhook",
            },
        ),
        EnableRowSecurity("IvrQuestion", references=IVR),
        EnableRowSecurity("IvrHook", references=IVR),
        EnableRowSecurity("IvrParameter", references={"hook_id": "ivr_ivrhook"}),
        # An exchange is written once, by the request that it is about.
        EnableRowSecurity(
            "IvrExchange",
            references=IVR,
            privileges="SELECT, INSERT, DELETE",
        ),
    ]
