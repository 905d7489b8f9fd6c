"""Count the steps of a replay that fail in a row, and say why one was given up."""

from django.db import migrations, models

from apps.common.audit_triggers import Audited

_LABEL = "'replay of ' || changed.total || ' deliveries'"
_BEFORE = ["planned_count", "walked_at", "walked_key", "stepped_at", "finished_at"]


class Unaudited(Audited):
    """Drop the trigger; going back makes it."""

    creates, drops = Audited.drops, Audited.creates


class Migration(migrations.Migration):
    dependencies = [
        ("common", "0004_audited_tables"),
        ("delivery", "0018_leases_in_no_index"),
    ]

    operations = [
        migrations.AddField("replay", "failure_count", models.PositiveSmallIntegerField(default=0)),
        migrations.AddField("replay", "retry_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "replay", "last_error", models.CharField(blank=True, default="", max_length=200)
        ),
        migrations.AlterField(
            "replay",
            "state",
            models.CharField(
                choices=[
                    ("running", "Running"),
                    ("done", "Done"),
                    ("cancelled", "Cancelled"),
                    ("failed", "Failed"),
                ],
                default="running",
                max_length=10,
            ),
        ),
        Unaudited("delivery.Replay", label=_LABEL, leaves_out=_BEFORE),
        Audited(
            "delivery.Replay",
            label=_LABEL,
            leaves_out=[*_BEFORE, "failure_count", "retry_at", "last_error"],
        ),
    ]
