"""Keep that a worker died with a delivery in hand, and how often a request went on the wire."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0003_endpoint_health"),
    ]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="sends",
            field=models.PositiveSmallIntegerField(db_default=1, verbose_name="times on the wire"),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="error_kind",
            field=models.CharField(
                blank=True,
                choices=[
                    ("dns", "Name not found"),
                    ("refused", "Connection refused"),
                    ("tls", "TLS failed"),
                    ("timeout", "Timed out"),
                    ("blocked", "Address not allowed"),
                    ("closed", "Connection closed"),
                    ("too_large", "Too large"),
                    ("protocol", "Not HTTP"),
                    ("http", "Response code"),
                    ("local", "On our side"),
                    ("render", "Payload not made"),
                    ("lost", "Worker lost"),
                ],
                max_length=10,
            ),
        ),
    ]
