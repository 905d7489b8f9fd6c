"""Know which screen a webhook was made on; sign in capitals for receivers that compare so."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("webhooks", "0008_lent_templates"),
    ]

    operations = [
        migrations.AddField(
            model_name="webhook",
            name="face",
            field=models.CharField(
                blank=True,
                choices=[
                    ("post_call", "Post-call action"),
                    ("call_complete", "Call.Complete"),
                    ("notifications", "Call notifications"),
                ],
                editable=False,
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="webhook",
            name="signature",
            field=models.CharField(
                choices=[
                    ("standard", "Standard Webhooks"),
                    ("hex", "sha256= in a header"),
                    ("hexupper", "sha256= in a header, in capitals"),
                    ("none", "Not at all"),
                ],
                default="standard",
                help_text="Choose sha256= only for receivers that know nothing else.",
                max_length=8,
                verbose_name="signed by",
            ),
        ),
    ]
