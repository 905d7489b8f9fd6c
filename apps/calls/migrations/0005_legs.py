"""Legs of calls that end within them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0004_keep_places_of_calls"),
    ]

    operations = [
        migrations.AlterField(
            model_name="callevent",
            name="type",
            field=models.CharField(
                choices=[
                    ("call.started", "Started"),
                    ("call.ringing", "Ringing"),
                    ("call.answered", "Answered"),
                    ("call.option_reached", "Option reached"),
                    ("call.leg_ended", "Leg ended"),
                    ("call.ended", "Ended"),
                    ("call.updated", "Updated"),
                    ("recording.ready", "Recording ready"),
                    ("transcript.ready", "Transcript ready"),
                ],
                max_length=24,
            ),
        ),
    ]
