"""Note when the personal data of a call was erased."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("calls", "0005_legs")]

    operations = [
        migrations.AddField(
            model_name="call",
            name="erased_at",
            field=models.DateTimeField(null=True, verbose_name="personal data erased"),
        ),
    ]
