"""Let a delivery expire."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_row_security"),
        ("calls", "0002_row_security"),
        ("delivery", "0004_lost_tries"),
        ("webhooks", "0006_limits_and_schedules"),
    ]

    operations = [
        migrations.AddField(
            model_name="delivery",
            name="expires_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="state",
            field=models.CharField(
                choices=[
                    ("waiting", "Waiting for an earlier one"),
                    ("pending", "Pending"),
                    ("succeeded", "Succeeded"),
                    ("failed", "Failed"),
                    ("expired", "Expired"),
                ],
                default="pending",
                max_length=10,
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(
                    ("expires_at__isnull", False), ("state__in", ["pending", "waiting"])
                ),
                fields=["expires_at"],
                name="delivery_expiring",
            ),
        ),
    ]
