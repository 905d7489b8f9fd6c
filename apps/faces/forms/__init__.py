"""Forms of the systems that Hookline replaces, in the words of their documents."""

from apps.faces.forms.call_complete import CallCompleteForm
from apps.faces.forms.call_notifications import NOTIFICATIONS, SOURCE_HEADER, CallNotificationForm
from apps.faces.forms.post_call import ANALYTICS, OPTIONS, PostCallActionForm

__all__ = [
    "ANALYTICS",
    "NOTIFICATIONS",
    "OPTIONS",
    "SOURCE_HEADER",
    "CallCompleteForm",
    "CallNotificationForm",
    "PostCallActionForm",
]
