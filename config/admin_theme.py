"""How the admin looks and what its side bar leads to."""

from django.urls import reverse_lazy

UNFOLD = {
    "SITE_TITLE": "Hookline",
    "SITE_HEADER": "Hookline",
    "SITE_SUBHEADER": "Call webhooks",
    "SITE_SYMBOL": "webhook",
    "SITE_URL": None,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SIDEBAR": {"show_search": True, "show_all_applications": False, "navigation": []},
}
__all__ = ["UNFOLD", "reverse_lazy"]
