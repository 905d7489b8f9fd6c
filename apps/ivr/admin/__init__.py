"""The admin of IVRs, and what it adds to the pages of calls and locations."""

from apps.calls.admin import CallAdmin
from apps.delivery.admin import WebhooksPanel
from apps.ivr.admin.exchanges import ExchangesPanel, IvrExchangeAdmin, exchanges_of
from apps.ivr.admin.hooks import IvrHookAdmin
from apps.ivr.admin.ivrs import IvrAdmin, transcripts_of

CallAdmin.timeline = (*CallAdmin.timeline, exchanges_of)
WebhooksPanel.uses = (*WebhooksPanel.uses, transcripts_of)

__all__ = ["ExchangesPanel", "IvrAdmin", "IvrExchangeAdmin", "IvrHookAdmin"]
