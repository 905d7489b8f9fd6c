"""Analyse no documents of exchanges (decision 29)."""

from django.db import migrations

from apps.common.table_operations import SpareAnalysis


class Migration(migrations.Migration):
    dependencies = [("ivr", "0004_says_ivr")]

    operations = [SpareAnalysis("IvrExchange", "tries", "reply")]
