"""When locations are open."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_audit_log"),
    ]

    operations = [
        migrations.AddField(
            model_name="location",
            name="business_hours",
            field=models.JSONField(blank=True, default=dict, editable=False),
        ),
    ]
