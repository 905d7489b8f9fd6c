"""The admin of deliveries, and what it adds to the pages of calls and locations."""

from apps.calls.admin import CallAdmin
from apps.delivery.admin.attempts import AttemptAdmin
from apps.delivery.admin.backtest import BacktestPanel
from apps.delivery.admin.deliveries import DeliveryAdmin
from apps.delivery.admin.health import EndpointHealthAdmin, HealthPanel
from apps.delivery.admin.panels import Use, WebhooksPanel, deliveries_of
from apps.delivery.admin.replays import ReplayAdmin
from apps.delivery.admin.trial import TestPanel

CallAdmin.timeline = (*CallAdmin.timeline, deliveries_of)

__all__ = [
    "AttemptAdmin",
    "BacktestPanel",
    "DeliveryAdmin",
    "EndpointHealthAdmin",
    "HealthPanel",
    "ReplayAdmin",
    "TestPanel",
    "Use",
    "WebhooksPanel",
]
