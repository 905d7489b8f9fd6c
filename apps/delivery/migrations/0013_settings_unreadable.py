"""Tell settings that can not be read from payloads that can not be made."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0012_sliding_window"),
    ]

    operations = [
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
                    ("settings", "Settings unreadable"),
                    ("lost", "Worker lost"),
                ],
                max_length=10,
            ),
        ),
    ]
