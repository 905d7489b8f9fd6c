"""The admin of templates and webhooks."""

from apps.webhooks.admin.secrets import RetiredSecretAdmin
from apps.webhooks.admin.templates import TemplateAdmin, TemplateVersionAdmin
from apps.webhooks.admin.webhooks import WebhookAdmin

__all__ = ["RetiredSecretAdmin", "TemplateAdmin", "TemplateVersionAdmin", "WebhookAdmin"]
