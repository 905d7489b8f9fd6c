"""Adapters: from what a phone platform's callback says to our events. Pure."""

from apps.intake.adapters.reading import Reading, UnreadableCallback

__all__ = ["Reading", "UnreadableCallback"]
