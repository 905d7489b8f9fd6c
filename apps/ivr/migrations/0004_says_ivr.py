"""IVRs are called so on screens, wherever a row names one."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_business_hours"),
        ("ivr", "0003_audited"),
    ]

    operations = [
        migrations.AlterField(
            model_name="ivr",
            name="location",
            field=models.ForeignKey(
                blank=True,
                help_text="Whose callers it asks.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="ivrs",
                to="accounts.location",
            ),
        ),
        migrations.AlterField(
            model_name="ivrexchange",
            name="ivr",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="exchanges",
                to="ivr.ivr",
                verbose_name="IVR",
            ),
        ),
        migrations.AlterField(
            model_name="ivrhook",
            name="ivr",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="hook",
                to="ivr.ivr",
                verbose_name="IVR",
            ),
        ),
        migrations.AlterField(
            model_name="ivrquestion",
            name="ivr",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="questions",
                to="ivr.ivr",
                verbose_name="IVR",
            ),
        ),
    ]
