"""What admin, API and intake ask of this room, a module for each verb."""

from apps.delivery.services.plan import plan
from apps.delivery.services.replay import (
    ReplayPlan,
    cancel_replay,
    plan_replay,
    resume_replay,
    start_replay,
    work_replays,
)
from apps.delivery.services.resend import resend
from apps.delivery.services.turns import purge_turns
from apps.delivery.services.waits import release_held

__all__ = [
    "ReplayPlan",
    "cancel_replay",
    "plan",
    "plan_replay",
    "purge_turns",
    "release_held",
    "resend",
    "resume_replay",
    "start_replay",
    "work_replays",
]
