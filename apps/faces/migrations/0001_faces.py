"""Know webhooks by their faces, too: the same table."""

from django.db import migrations


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("webhooks", "0009_faces"),
    ]

    operations = [
        migrations.CreateModel(
            name="CallComplete",
            fields=[],
            options={
                "verbose_name": "Call.Complete webhook",
                "ordering": ["name"],
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("webhooks.webhook",),
        ),
        migrations.CreateModel(
            name="CallNotification",
            fields=[],
            options={
                "verbose_name": "call notification",
                "ordering": ["name"],
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("webhooks.webhook",),
        ),
        migrations.CreateModel(
            name="PostCallAction",
            fields=[],
            options={
                "verbose_name": "post-call action",
                "ordering": ["name"],
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("webhooks.webhook",),
        ),
    ]
