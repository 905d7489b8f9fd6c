"""The country of a location is one that there is."""

from django.db import migrations, models

import apps.accounts.models.locations


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_members_are_called_so"),
    ]

    operations = [
        migrations.AlterField(
            model_name="location",
            name="country",
            field=models.CharField(
                default="US",
                help_text="Two letters, as US (ISO 3166-1).",
                max_length=2,
                validators=[apps.accounts.models.locations.validate_country],
            ),
        ),
    ]
