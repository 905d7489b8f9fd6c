"""Tell of deliveries that are given up as their tries were lost."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("delivery", "0020_lost_tries_counted")]

    operations = [
        migrations.AlterField(
            "alert",
            "rung",
            models.CharField(
                choices=[
                    ("failing", "Failing"),
                    ("half", "Half"),
                    ("seventy", "Seventy"),
                    ("ninety", "Ninety"),
                    ("disabled", "Disabled"),
                    ("recovered", "Recovered"),
                    ("lost", "Lost"),
                ],
                max_length=10,
                verbose_name="about",
            ),
        )
    ]
