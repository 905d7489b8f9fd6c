"""Say what it means that a campaign or treatment is off."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0003_attachment_not_later_than"),
    ]

    operations = [
        migrations.AlterField(
            model_name="campaign",
            name="is_active",
            field=models.BooleanField(
                default=True,
                help_text="Off: its calls are recorded, and nothing is sent for it.",
                verbose_name="active",
            ),
        ),
        migrations.AlterField(
            model_name="treatment",
            name="is_active",
            field=models.BooleanField(
                default=True,
                help_text="Off: its calls are recorded, and nothing is sent for it.",
                verbose_name="active",
            ),
        ),
    ]
