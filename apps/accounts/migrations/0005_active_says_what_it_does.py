"""Say what it means that a location is off."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_emails_in_lower_case"),
    ]

    operations = [
        migrations.AlterField(
            model_name="location",
            name="is_active",
            field=models.BooleanField(
                default=True,
                help_text="Off: its calls are recorded, and nothing is sent for it.",
                verbose_name="active",
            ),
        ),
    ]
