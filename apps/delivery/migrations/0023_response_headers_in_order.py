"""Say what the headers of an answer are by default: a list, as they are stored."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("delivery", "0022_lighter_rows")]

    operations = [
        migrations.AlterField(
            model_name="attempt",
            name="response_headers",
            field=models.JSONField(default=list),
        ),
    ]
