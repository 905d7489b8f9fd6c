"""Locations, campaigns and tracking numbers as CSV files: a dry run, then all or nothing."""

from apps.campaigns.sheets.exporting import export_rows
from apps.campaigns.sheets.importing import (
    cancel_import,
    confirm_import,
    start_import,
    work_imports,
)
from apps.campaigns.sheets.reading import Fault, UnreadableSheet

__all__ = [
    "Fault",
    "UnreadableSheet",
    "cancel_import",
    "confirm_import",
    "export_rows",
    "start_import",
    "work_imports",
]
