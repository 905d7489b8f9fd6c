"""What admin, API and intake ask of this room, a module for each verb."""

from apps.delivery.services.plan import plan
from apps.delivery.services.replay import (
    ReplayPlan,
    cancel_replay,
    plan_replay,
    start_replay,
    work_replays,
)
from apps.delivery.services.resend import resend

__all__ = [
    "ReplayPlan",
    "cancel_replay",
    "plan",
    "plan_replay",
    "resend",
    "start_replay",
    "work_replays",
]
