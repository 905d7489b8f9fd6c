"""How the admin looks and what its side bar leads to."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy

from apps.common.access import NOBODY, Access, Role


def _access(request: HttpRequest) -> Access:
    access: Access = getattr(request, "access", NOBODY)
    return access


def _role(role: Role) -> Callable[[HttpRequest], bool]:
    return lambda request: _access(request).has_role(role)


def _is_operator(request: HttpRequest) -> bool:
    return _access(request).is_operator


def _reaches_several(request: HttpRequest) -> bool:
    access = _access(request)
    return access.is_operator or any(account.is_agency for account in access.accounts.values())


def _item(title: str, icon: str, url: str, permission: Any = None) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(url),
        "permission": permission or _role(Role.VIEWER),
    }


_ADMIN = _role(Role.ADMIN)

# In the order in which people work.
_NAVIGATION: list[dict[str, Any]] = [
    {
        "items": [
            _item("Home", "home", "admin:index"),
            _item("Figures", "bar_chart", "figures"),
        ]
    },
    {
        "title": "Activity",
        "separator": True,
        "items": [
            _item("Calls", "call", "admin:calls_call_changelist"),
            _item("Deliveries", "send", "admin:delivery_delivery_changelist"),
            _item("IVR exchanges", "swap_calls", "admin:ivr_ivrexchange_changelist"),
            _item("Replays", "replay", "admin:delivery_replay_changelist"),
        ],
    },
    {
        "title": "Webhooks",
        "separator": True,
        "items": [
            _item("Webhooks", "webhook", "admin:webhooks_webhook_changelist"),
            _item("Templates", "data_object", "admin:webhooks_template_changelist"),
            _item("Tokens", "sell", "tokens"),
        ],
    },
    {
        "title": "Developer tools",
        "separator": True,
        "items": [
            _item("Post Call Actions", "output", "admin:faces_postcallaction_changelist"),
            _item("Call.Complete", "task_alt", "admin:faces_callcomplete_changelist"),
        ],
    },
    {
        "title": "Calls come from",
        "separator": True,
        "items": [
            _item("Locations", "location_on", "admin:accounts_location_changelist"),
            _item("Campaigns", "campaign", "admin:campaigns_campaign_changelist"),
            _item("Call treatments", "account_tree", "admin:campaigns_treatment_changelist"),
            _item("IVRs", "record_voice_over", "admin:ivr_ivr_changelist"),
            _item("Tracking numbers", "dialpad", "admin:campaigns_trackingnumber_changelist"),
            _item("Phone platforms", "dialer_sip", "admin:intake_source_changelist"),
            _item("Attachments", "link", "admin:campaigns_attachment_changelist"),
            _item(
                "Imports", "upload_file", "admin:campaigns_import_changelist", _role(Role.MEMBER)
            ),
        ],
    },
    {
        "title": "Settings",
        "separator": True,
        "items": [
            _item("Members", "group", "admin:accounts_membership_changelist", _ADMIN),
            _item("API keys", "key", "admin:accounts_apikey_changelist", _ADMIN),
            _item("Groups", "folder", "admin:accounts_group_changelist"),
            _item(
                "Call notifications",
                "notifications",
                "admin:faces_callnotification_changelist",
                _ADMIN,
            ),
            _item("Audit log", "history", "admin:common_auditentry_changelist", _ADMIN),
            _item("Account settings", "settings", "account_settings", _ADMIN),
            _item("Accounts", "domain", "admin:accounts_account_changelist", _reaches_several),
        ],
    },
    {
        "title": "Operators",
        "separator": True,
        "items": [
            _item("Users", "person", "admin:accounts_user_changelist", _is_operator),
            _item("Queues", "stacks", "django_rq:home", _is_operator),
        ],
    },
]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the side bar without what the role can not open."""
    allowed = [
        {**group, "items": [item for item in group["items"] if item["permission"](request)]}
        for group in _NAVIGATION
    ]
    return [group for group in allowed if group["items"]]


UNFOLD = {
    "SITE_TITLE": "Hookline",
    "SITE_HEADER": "Hookline",
    "SITE_SUBHEADER": "Call webhooks",
    "SITE_SYMBOL": "webhook",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda request: static("hookline/icon.svg"),
        }
    ],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "LOGIN": {"form": "apps.accounts.forms.LoginForm"},
    "DASHBOARD_CALLBACK": "apps.console.home.home",
    "STYLES": [lambda request: static("hookline/theme.css")],
    "SCRIPTS": [lambda request: static("hookline/hookline.js")],
    "ACCOUNT": {
        "navigation": [
            {"title": "Your profile", "link": reverse_lazy("profile")},
            {"title": "Change password", "link": reverse_lazy("admin:password_change")},
        ]
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": navigation,
    },
}
