"""The admin of sources and their callbacks."""

from apps.intake.admin.callbacks import CallbackAdmin
from apps.intake.admin.panels import CallbacksPanel, FieldsPanel, SetUpPanel
from apps.intake.admin.sources import SourceAdmin

__all__ = ["CallbackAdmin", "CallbacksPanel", "FieldsPanel", "SetUpPanel", "SourceAdmin"]
