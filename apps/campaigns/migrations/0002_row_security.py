"""Put the tables of this room behind the wall."""

from django.db import migrations

from apps.common.row_security import EnableRowSecurity

LOCATION = {"location_id": "accounts_location"}


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0001_initial"),
        ("common", "0001_tenant_role"),
        ("webhooks", "0002_row_security"),
    ]
    operations = [
        EnableRowSecurity("Campaign", references=LOCATION),
        EnableRowSecurity("Treatment", references=LOCATION),
        EnableRowSecurity("TreatmentOption", references={"treatment_id": "campaigns_treatment"}),
        EnableRowSecurity(
            "TrackingNumber",
            references={
                **LOCATION,
                "campaign_id": "campaigns_campaign",
                "treatment_id": "campaigns_treatment",
            },
        ),
        EnableRowSecurity(
            "Attachment",
            references={
                "webhook_id": "webhooks_webhook",
                "campaign_id": "campaigns_campaign",
                "option_id": "campaigns_treatmentoption",
                "treatment_id": "campaigns_treatment",
                **LOCATION,
            },
        ),
    ]
