"""Count the tries of a delivery that ended with their worker."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("delivery", "0019_replays_that_fail")]

    operations = [
        migrations.AddField(
            "delivery", "lost_count", models.PositiveSmallIntegerField(db_default=0, default=0)
        )
    ]
