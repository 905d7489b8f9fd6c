"""Memberships are called members on screens, as in the side bar and the API."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_business_hours"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="membership",
            options={"ordering": ["user__email"], "verbose_name": "member"},
        ),
    ]
