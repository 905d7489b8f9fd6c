"""The admin site, and the admin of account-owned models: the first wall."""

from unfold.sites import UnfoldAdminSite


class HooklineAdminSite(UnfoldAdminSite):
    """The admin that everybody works in."""
