"""Remember of which deliveries the bodies are gone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0009_keep_webhooks_that_sent"),
    ]

    operations = [
        migrations.AddField(
            model_name="delivery",
            name="bodies_removed_at",
            field=models.DateTimeField(null=True),
        ),
    ]
