"""The gallery: built-in templates that every account sees, each with its own rules. Pure."""

from collections.abc import Mapping
from types import MappingProxyType

from apps.webhooks.gallery.adf import ADF
from apps.webhooks.gallery.call_complete import CALL_COMPLETE, CALL_COMPLETE_GET
from apps.webhooks.gallery.call_notifications import (
    CALL_PREPROCESSED,
    CALL_PROCESSED,
    CALL_START,
)
from apps.webhooks.gallery.chat import SLACK, TEAMS
from apps.webhooks.gallery.entry import Blank, Entry, Fill
from apps.webhooks.gallery.flat_json import FLAT_JSON
from apps.webhooks.gallery.google_analytics import GOOGLE_ANALYTICS
from apps.webhooks.gallery.hubspot import HUBSPOT
from apps.webhooks.gallery.meta import META
from apps.webhooks.gallery.post_call_action import POST_CALL_ACTION, POST_CALL_ACTION_GET
from apps.webhooks.gallery.salesforce import SALESFORCE

GALLERY: Mapping[str, Entry] = MappingProxyType(
    {
        entry.key: entry
        for entry in (
            ADF,
            SALESFORCE,
            HUBSPOT,
            GOOGLE_ANALYTICS,
            META,
            SLACK,
            TEAMS,
            FLAT_JSON,
            POST_CALL_ACTION,
            POST_CALL_ACTION_GET,
            CALL_COMPLETE,
            CALL_COMPLETE_GET,
            CALL_START,
            CALL_PREPROCESSED,
            CALL_PROCESSED,
        )
    }
)
"""Every built-in template by key, in the order in which they are shown."""

__all__ = ["GALLERY", "Blank", "Entry", "Fill"]
