"""Tell an answer that was too large to keep from one that had no body."""

from django.db import migrations

from apps.common.fields import EncryptedTextField


class Migration(migrations.Migration):
    dependencies = [("common", "0006_erased")]

    operations = [
        migrations.AlterField("storedanswer", "body", EncryptedTextField(null=True)),
        migrations.RunSQL(
            "UPDATE common_storedanswer SET body = NULL WHERE body = ''",
            "UPDATE common_storedanswer SET body = '' WHERE body IS NULL",
        ),
    ]
