"""Let each account say for how long it keeps what was sent."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_active_says_what_it_does"),
    ]

    operations = [
        migrations.AddField(
            model_name="account",
            name="keep_bodies_days",
            field=models.PositiveSmallIntegerField(
                db_default=30,
                default=30,
                help_text="What was sent and answered, headers and queries included. It counts from the end of a delivery.",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(730),
                ],
                verbose_name="keep bodies for, in days",
            ),
        ),
        migrations.AddField(
            model_name="account",
            name="keep_records_days",
            field=models.PositiveSmallIntegerField(
                db_default=90,
                default=90,
                help_text="Deliveries with their tries, and calls with their events. What waits to be sent stays.",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(730),
                ],
                verbose_name="keep deliveries and calls for, in days",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("keep_bodies_days__gte", 1),
                    ("keep_records_days__gte", models.F("keep_bodies_days")),
                    ("keep_records_days__lte", 730),
                ),
                name="account_keeps_bodies_no_longer_than_records",
            ),
        ),
    ]
