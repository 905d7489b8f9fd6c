"""Count deliveries by their indexes alone, and find the few that failed among all the others."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("delivery", "0016_releases_put_off")]

    operations = [
        migrations.RemoveIndex(model_name="delivery", name="delivery_newest_of_account"),
        migrations.RemoveIndex(model_name="delivery", name="delivery_newest_of_webhook"),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                fields=["account", "-created_at"],
                include=("state", "attempt_count"),
                name="delivery_newest_of_account",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                fields=["webhook", "-created_at"],
                include=("state",),
                name="delivery_newest_of_webhook",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                fields=["account", "-created_at"],
                condition=models.Q(state__in=["failed", "expired", "skipped"]),
                name="delivery_unsuccessful",
            ),
        ),
    ]
