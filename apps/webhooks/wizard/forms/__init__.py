"""The forms of the steps."""

from apps.webhooks.wizard.forms.advanced import AdvancedStep, MoreStep
from apps.webhooks.wizard.forms.template import SampleStep, TemplateStep
from apps.webhooks.wizard.forms.webhook import WebhookStep

__all__ = ["AdvancedStep", "MoreStep", "SampleStep", "TemplateStep", "WebhookStep"]
