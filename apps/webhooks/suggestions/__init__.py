"""Suggestions: which token belongs in each place of a sample. Pure."""

from apps.webhooks.suggestions.learned import NOTHING_LEARNED, Learned
from apps.webhooks.suggestions.matching import CUT_OFF
from apps.webhooks.suggestions.suggest import Suggestion, suggest

__all__ = ["CUT_OFF", "NOTHING_LEARNED", "Learned", "Suggestion", "suggest"]
