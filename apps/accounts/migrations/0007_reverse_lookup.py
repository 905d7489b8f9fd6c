"""Let an account say that its phone platform looks callers up."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_retention")]

    operations = [
        migrations.AddField(
            model_name="account",
            name="has_reverse_lookup",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="The phone platform looks up who is behind a caller's number; post-call actions may send what it finds.",
                verbose_name="reverse look-up",
            ),
        ),
    ]
