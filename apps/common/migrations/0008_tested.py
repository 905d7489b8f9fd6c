"""Let the audit log say that a test was sent."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("common", "0007_answers_not_kept")]

    operations = [
        migrations.AlterField(
            model_name="auditentry",
            name="action",
            field=models.CharField(
                max_length=20,
                choices=[
                    ("created", "Created"),
                    ("changed", "Changed"),
                    ("deleted", "Deleted"),
                    ("enabled", "Switched on"),
                    ("disabled", "Switched off"),
                    ("revoked", "Revoked"),
                    ("secret_replaced", "Secret replaced"),
                    ("secret_shown", "Secret shown"),
                    ("invited", "Invited again"),
                    ("logged_in", "Logged in"),
                    ("login_failed", "Log-in failed"),
                    ("password_changed", "Password changed"),
                    ("resent", "Sent again"),
                    ("tested", "Test sent"),
                    ("imported", "Imported"),
                    ("exported", "Exported"),
                    ("applied", "Applied to locations"),
                    ("erased", "Personal data erased"),
                    ("noted", "Noted"),
                ],
            ),
        ),
    ]
