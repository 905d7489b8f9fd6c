"""The admin of IVRs, and what it adds to the pages of calls."""

from apps.calls.admin import CallAdmin
from apps.ivr.admin.exchanges import ExchangesPanel, IvrExchangeAdmin, exchanges_of
from apps.ivr.admin.hooks import IvrHookAdmin
from apps.ivr.admin.ivrs import IvrAdmin

CallAdmin.timeline = (*CallAdmin.timeline, exchanges_of)

__all__ = ["ExchangesPanel", "IvrAdmin", "IvrExchangeAdmin", "IvrHookAdmin"]
